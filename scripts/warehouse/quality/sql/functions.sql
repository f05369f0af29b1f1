-- Helpers of the other statements.
create function pg_temp.seconds_of(timeframe text) returns bigint
language sql immutable strict
return left(timeframe, -1)::bigint
    * case right(timeframe, 1) when 'm' then 60 when 'h' then 3600 else 86400 end;

create function pg_temp.epoch(moment timestamptz) returns bigint
language sql immutable strict
return extract(epoch from moment)::bigint;

-- The last moment of a grid (any moment on it, its step in seconds) that is not after another.
create function pg_temp.on_grid(moment bigint, anchor bigint, seconds bigint) returns bigint
language sql immutable strict
return moment - (((moment - anchor) % seconds) + seconds) % seconds;

-- How many bars of a grid start in [lo, hi), where lo is on it.
create function pg_temp.steps(lo bigint, hi bigint, seconds bigint) returns bigint
language sql immutable strict
return greatest(hi - lo + seconds - 1, 0) / seconds;

-- The same, without the bars that lie whole within a break.
create function pg_temp.bars_within(
    lo bigint, hi bigint, seconds bigint, break_start_at timestamptz, break_end_at timestamptz
) returns bigint
language sql immutable
return pg_temp.steps(lo, hi, seconds) - case
    when break_start_at is null then 0
    else pg_temp.steps(
        greatest(lo, pg_temp.on_grid(pg_temp.epoch(break_start_at) + seconds - 1, lo, seconds)),
        least(hi, pg_temp.epoch(break_end_at) - seconds + 1),
        seconds
    )
end;

-- A number from a payload, as the landing table would hold it; NULL when it cannot be read.
-- In steps, because the planner computes a cast of a constant even in a branch not taken.
create function pg_temp.number(sent text, decimal_point text) returns numeric
language plpgsql immutable strict as $$
declare
    plain constant text := replace(sent, decimal_point, '.');
begin
    if pg_input_is_valid(plain, 'numeric') then
        return round(plain::numeric, 10);
    end if;
    return null;
end $$;
