-- Recursive indicators as aggregates to be used over a window: ema_ladder(seed, close) over by_bar.
--
-- Each aggregate returns its whole state. A build that starts in the middle of a series passes the
-- state stored at a checkpoint as `seed` (NULL at the start of a series) and goes on from there, so
-- it does the same additions in the same order as a build from the first bar: bit for bit the same.
-- Conventions are TA-Lib's (seeding, first valid bar, flat series); docs/features.md has the table.
--
-- Every step function has two parts. Once a series is seeded, one expression returns the next state:
-- plpgsql pays per statement, and eight EMAs in one array constructor cost 1.1 us a row where a loop
-- over periods costs 2.9. The part below it seeds the first bars and is where TA-Lib's rules are.

create schema indicators;
comment on schema indicators is 'Recursive indicators with TA-Lib semantics, as aggregates that continue from a stored state.';

create function indicators.ema_ladder_step(state float8[], seed float8[], value float8)
returns float8[] language plpgsql immutable as $$
declare
    periods constant integer[] := array[5, 10, 12, 20, 26, 50, 100, 200];
    n float8;
begin
    if state[1] >= 200 then
        return array[
            state[1] + 1,
            (value - state[2]) * (2.0::float8 / 6) + state[2],
            (value - state[3]) * (2.0::float8 / 11) + state[3],
            (value - state[4]) * (2.0::float8 / 13) + state[4],
            (value - state[5]) * (2.0::float8 / 21) + state[5],
            (value - state[6]) * (2.0::float8 / 27) + state[6],
            (value - state[7]) * (2.0::float8 / 51) + state[7],
            (value - state[8]) * (2.0::float8 / 101) + state[8],
            (value - state[9]) * (2.0::float8 / 201) + state[9]
        ];
    end if;

    if state is null and seed is not null then
        return indicators.ema_ladder_step(seed, null, value);
    end if;
    state := coalesce(state, array_fill(0::float8, array[9]));
    n := state[1] + 1;
    state[1] := n;
    for k in 1 .. 8 loop
        if n > periods[k] then
            state[1 + k] := (value - state[1 + k]) * (2.0::float8 / (periods[k] + 1)) + state[1 + k];
        elsif n = periods[k] then
            state[1 + k] := (state[1 + k] + value) / n;
        else
            state[1 + k] := state[1 + k] + value;
        end if;
    end loop;
    return state;
end $$;

create aggregate indicators.ema_ladder(seed float8[], value float8) (
    sfunc = indicators.ema_ladder_step, stype = float8[]
);
comment on aggregate indicators.ema_ladder(float8[], float8) is
'Exponential moving averages over 5, 10, 12, 20, 26, 50, 100 and 200 bars. State: [1] bars seen, [2..9] the averages in that order, each valid from bar `period` on (before that the running sum of its seed, the simple mean of the first bars). TA-Lib EMA.';

create function indicators.macd_step(state float8[], seed float8[], value float8)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    fast float8;
    slow float8;
begin
    if state[1] >= 26 then
        n := state[1] + 1;
        fast := (value - state[2]) * (2.0::float8 / 13) + state[2];
        slow := (value - state[3]) * (2.0::float8 / 27) + state[3];
        return array[
            n,
            fast,
            slow,
            case
                when n >= 35 then (fast - slow - state[4]) * (2.0::float8 / 10) + state[4]
                when n = 34 then (state[4] + (fast - slow)) / 9
                else state[4] + (fast - slow)
            end
        ];
    end if;

    if state is null and seed is not null then
        return indicators.macd_step(seed, null, value);
    end if;
    state := coalesce(state, array_fill(0::float8, array[4]));
    n := state[1] + 1;
    state[1] := n;
    -- TA-Lib seeds both averages at bar 26, where the slow one becomes valid: the fast one by bars 15 to 26.
    if n > 14 then
        state[2] := state[2] + value;
    end if;
    state[3] := state[3] + value;
    if n = 26 then
        state[2] := state[2] / 12;
        state[3] := state[3] / 26;
        state[4] := state[2] - state[3];
    end if;
    return state;
end $$;

create aggregate indicators.macd(seed float8[], value float8) (
    sfunc = indicators.macd_step, stype = float8[]
);
comment on aggregate indicators.macd(float8[], float8) is
'MACD (12, 26, 9). State: [1] bars seen, [2] fast EMA, [3] slow EMA, [4] signal; all valid from bar 34 on. TA-Lib MACD: both EMAs are seeded at bar 26, the signal by the mean of its first nine values.';

create function indicators.rsi_step(state float8[], seed float8[], value float8)
returns float8[] language plpgsql immutable as $$
declare
    periods constant integer[] := array[7, 14, 21];
    n float8;
    gain float8;
    loss float8;
begin
    if state[1] > 21 then
        gain := greatest(value - state[2], 0);
        loss := greatest(state[2] - value, 0);
        return array[
            state[1] + 1,
            value,
            (state[3] * 6 + gain) / 7,
            (state[4] * 6 + loss) / 7,
            (state[5] * 13 + gain) / 14,
            (state[6] * 13 + loss) / 14,
            (state[7] * 20 + gain) / 21,
            (state[8] * 20 + loss) / 21
        ];
    end if;

    if state is null and seed is not null then
        return indicators.rsi_step(seed, null, value);
    end if;
    state := coalesce(state, array_fill(0::float8, array[8]));
    n := state[1];
    if n > 0 then
        gain := greatest(value - state[2], 0);
        loss := greatest(state[2] - value, 0);
        for k in 1 .. 3 loop
            if n > periods[k] then
                state[1 + 2 * k] := (state[1 + 2 * k] * (periods[k] - 1) + gain) / periods[k];
                state[2 + 2 * k] := (state[2 + 2 * k] * (periods[k] - 1) + loss) / periods[k];
            elsif n = periods[k] then
                state[1 + 2 * k] := (state[1 + 2 * k] + gain) / n;
                state[2 + 2 * k] := (state[2 + 2 * k] + loss) / n;
            else
                state[1 + 2 * k] := state[1 + 2 * k] + gain;
                state[2 + 2 * k] := state[2 + 2 * k] + loss;
            end if;
        end loop;
    end if;
    state[1] := n + 1;
    state[2] := value;
    return state;
end $$;

create aggregate indicators.rsi(seed float8[], value float8) (
    sfunc = indicators.rsi_step, stype = float8[]
);
comment on aggregate indicators.rsi(float8[], float8) is
'Wilder means of gains and losses over 7, 14 and 21 bars. State: [1] bars seen, [2] last value, [3] gain and [4] loss over 7, [5] and [6] over 14, [7] and [8] over 21, valid from bar `period` + 1 on. RSI = 100 * gain / (gain + loss), 0 when both are 0. TA-Lib RSI, CMO.';

create function indicators.directional_step(
    state float8[], seed float8[], high float8, low float8, close float8
)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    up float8;
    down float8;
    true_range float8;
    plus_sum float8;
    minus_sum float8;
    range_sum float8;
    dx float8;
begin
    if state is null and seed is not null then
        return indicators.directional_step(seed, null, high, low, close);
    end if;
    if state is null then
        return array[1, high, low, close, 0, 0, 0, 0, 0]::float8[];
    end if;
    n := state[1];
    true_range := greatest(high - low, abs(high - state[4]), abs(low - state[4]));
    up := high - state[2];
    down := state[3] - low;
    if n < 14 then
        -- The first 13 movements are summed; the ATR sums 14 true ranges.
        return array[
            n + 1, high, low, close,
            state[5] + true_range,
            state[6] + case when up > 0 and up > down then up else 0 end,
            state[7] + case when down > 0 and down > up then down else 0 end,
            state[8] + true_range,
            0
        ];
    end if;
    plus_sum := state[6] - state[6] / 14 + case when up > 0 and up > down then up else 0 end;
    minus_sum := state[7] - state[7] / 14 + case when down > 0 and down > up then down else 0 end;
    range_sum := state[8] - state[8] / 14 + true_range;
    -- 1e-14 is TA-Lib's zero; a bar without direction leaves the ADX as it was.
    dx := case
        when abs(range_sum) >= 1e-14 and abs(100 * (plus_sum + minus_sum) / range_sum) >= 1e-14
            then 100 * abs(minus_sum / range_sum - plus_sum / range_sum) / ((plus_sum + minus_sum) / range_sum)
    end;
    return array[
        n + 1, high, low, close,
        case when n > 14 then (state[5] * 13 + true_range) / 14 else (state[5] + true_range) / 14 end,
        plus_sum,
        minus_sum,
        range_sum,
        case
            when n >= 28 then coalesce((state[9] * 13 + dx) / 14, state[9])
            when n = 27 then (state[9] + coalesce(dx, 0)) / 14
            else state[9] + coalesce(dx, 0)
        end
    ];
end $$;

create aggregate indicators.directional(seed float8[], high float8, low float8, close float8) (
    sfunc = indicators.directional_step, stype = float8[]
);
comment on aggregate indicators.directional(float8[], float8, float8, float8) is
'Wilder''s directional system over 14 bars. State: [1] bars seen, [2..4] last high, low, close, [5] ATR (valid from bar 15), [6] +DM, [7] -DM, [8] true range as decaying sums (valid from bar 15; DI = 100 * DM / TR), [9] ADX (valid from bar 28). TA-Lib ATR, PLUS_DI, MINUS_DI, ADX.';

create function indicators.triple_ema_step(state float8[], seed float8[], value float8)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    x float8 := value;
    first_bar integer;
begin
    if state[1] >= 43 then
        x := (value - state[2]) * 0.125::float8 + state[2];
        n := (x - state[3]) * 0.125::float8 + state[3];
        return array[state[1] + 1, x, n, (n - state[4]) * 0.125::float8 + state[4], state[4]];
    end if;

    if state is null and seed is not null then
        return indicators.triple_ema_step(seed, null, value);
    end if;
    state := coalesce(state, array_fill(0::float8, array[5]));
    n := state[1] + 1;
    state[1] := n;
    state[5] := state[4];
    for k in 2 .. 4 loop
        -- Each average is seeded by the first 15 values of the one before it.
        first_bar := (k - 2) * 14;
        exit when n <= first_bar;
        if n - first_bar > 15 then
            state[k] := (x - state[k]) * 0.125::float8 + state[k];
        elsif n - first_bar = 15 then
            state[k] := (state[k] + x) / 15;
        else
            state[k] := state[k] + x;
        end if;
        x := state[k];
    end loop;
    return state;
end $$;

create aggregate indicators.triple_ema(seed float8[], value float8) (
    sfunc = indicators.triple_ema_step, stype = float8[]
);
comment on aggregate indicators.triple_ema(float8[], float8) is
'EMA of the EMA of the EMA, 15 bars (weight 2 / 16). State: [1] bars seen, [2] first, [3] second, [4] third average, [5] the third of the bar before. TRIX = 100 * ([4] / [5] - 1), valid from bar 44 on. TA-Lib TRIX.';

create function indicators.volume_flow_step(
    state float8[], seed float8[], high float8, low float8, close float8, volume float8
)
returns float8[] language plpgsql immutable as $$
begin
    if state is null then
        if seed is null then
            return array[
                close,
                coalesce(volume, 0),
                0,
                case when high > low then ((close - low) - (high - close)) / (high - low) * coalesce(volume, 0) else 0 end
            ];
        end if;
        state := seed;
    end if;
    return array[
        close,
        state[2] + sign(close - state[1]) * coalesce(volume, 0),
        state[3] + case when state[1] <> 0 then coalesce(volume, 0) * (close / state[1] - 1) else 0 end,
        state[4]
        + case when high > low then ((close - low) - (high - close)) / (high - low) * coalesce(volume, 0) else 0 end
    ];
end $$;

create aggregate indicators.volume_flow(seed float8[], high float8, low float8, close float8, volume float8) (
    sfunc = indicators.volume_flow_step, stype = float8[]
);
comment on aggregate indicators.volume_flow(float8[], float8, float8, float8, float8) is
'Cumulative volume lines from the first bar of the series. State: [1] last close, [2] on-balance volume (starts at the first volume), [3] volume-price trend (starts at 0), [4] accumulation/distribution. A bar without volume adds nothing. TA-Lib OBV, AD.';

create function indicators.session_step(
    state float8[], seed float8[], session float8, is_regular boolean,
    high float8, low float8, close float8, volume float8
)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    gain float8;
    loss float8;
begin
    if state[1] = session then
        return array[
            session,
            state[2] + coalesce((high + low + close) / 3 * volume, 0),
            state[3] + coalesce(volume, 0),
            case when is_regular then close else state[4] end,
            state[5], state[6], state[7], state[8]
        ];
    end if;

    if state is null and seed is not null then
        return indicators.session_step(seed, null, session, is_regular, high, low, close, volume);
    end if;
    if state is not null then
        if state[4] is not null then
            n := state[6];
            if n > 0 then
                gain := greatest(state[4] - state[5], 0);
                loss := greatest(state[5] - state[4], 0);
                if n > 14 then
                    state[7] := (state[7] * 13 + gain) / 14;
                    state[8] := (state[8] * 13 + loss) / 14;
                else
                    state[7] := state[7] + gain;
                    state[8] := state[8] + loss;
                    if n = 14 then
                        state[7] := state[7] / 14;
                        state[8] := state[8] / 14;
                    end if;
                end if;
            end if;
            state[6] := n + 1;
            state[5] := state[4];
        end if;
    end if;
    return array[
        session,
        coalesce((high + low + close) / 3 * volume, 0),
        coalesce(volume, 0),
        case when is_regular then close end,
        state[5], coalesce(state[6], 0), coalesce(state[7], 0), coalesce(state[8], 0)
    ];
end $$;

create aggregate indicators.session(
    seed float8[], session float8, is_regular boolean,
    high float8, low float8, close float8, volume float8
) (
    sfunc = indicators.session_step, stype = float8[]
);
comment on aggregate indicators.session(float8[], float8, boolean, float8, float8, float8, float8) is
'What a bar knows of its session and of the sessions closed before it. State: [1] session number, [2] sum of typical price * volume, [3] sum of volume since the session began (VWAP = [2] / [3]), [4] last regular close, [5] close of the session before, [6] sessions closed, [7] mean gain and [8] mean loss over them (RSI-14 of session closes, valid when [6] > 14).';

create aggregate indicators.product(float8) (sfunc = float8mul, stype = float8, initcond = '1');
comment on aggregate indicators.product(float8) is 'Product of all values; 1 for none.';
