{% macro cosine_square(observed, wave, observations) -%}
    {#- How much of a series one cosine is: its coefficient in the orthonormal cosine transform (DCT-II), squared. -#}
    2.0 / {{ observations }} * power(
        (
            select
                sum(
                    numbered.value
                    * cos(pi() * {{ wave }} * (numbered.observation - 0.5::double precision) / {{ observations }})
                    order by numbered.observation
                )
            from unnest({{ observed }}) with ordinality as numbered (value, observation)
        ),
        2
    )
{%- endmacro %}
