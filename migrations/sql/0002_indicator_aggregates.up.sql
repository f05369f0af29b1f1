-- Recursive indicators as aggregates to be used over a window: ema(seed, close, periods) over by_bar.
--
-- Each aggregate returns its whole state. A build that starts in the middle of a series passes the
-- state stored at a checkpoint as `seed` (NULL at the start of a series) and goes on from there, so
-- it does the same additions in the same order as a build from the first bar: bit for bit the same.
-- Conventions are TA-Lib's (seeding, first valid bar, flat series); docs/features.md has the table.
-- plpgsql keeps a float8[] state expanded and changes it in place: eight EMAs cost 1.4 us a row.

create schema indicators;
comment on schema indicators is 'Recursive indicators with TA-Lib semantics, as aggregates that continue from a stored state.';

-- State: [1] bars seen, [1 + k] EMA of the k-th period, while seeding the running sum.
create function indicators.ema_step(state float8[], seed float8[], value float8, periods integer[])
returns float8[] language plpgsql immutable as $$
declare
    n float8;
begin
    if state is null then
        state := coalesce(seed, array_fill(0::float8, array[1 + cardinality(periods)]));
    end if;
    n := state[1] + 1;
    state[1] := n;
    for k in 1 .. cardinality(periods) loop
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

create aggregate indicators.ema(seed float8[], value float8, periods integer[]) (
    sfunc = indicators.ema_step, stype = float8[]
);
comment on aggregate indicators.ema(float8[], float8, integer[]) is
'Exponential moving averages. State: [1] bars seen, [1+k] the EMA of periods[k], valid from bar periods[k] on (before that the running sum of its seed, the simple mean of the first bars). TA-Lib EMA.';

-- State: [1] bars, [2] fast EMA, [3] slow EMA, [4] signal; while seeding the running sums.
create function indicators.macd_step(
    state float8[], seed float8[], value float8, fast integer, slow integer, signal integer
)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    macd float8;
begin
    if state is null then
        state := coalesce(seed, array_fill(0::float8, array[4]));
    end if;
    n := state[1] + 1;
    state[1] := n;
    if n > slow then
        state[2] := (value - state[2]) * (2.0::float8 / (fast + 1)) + state[2];
        state[3] := (value - state[3]) * (2.0::float8 / (slow + 1)) + state[3];
    else
        -- TA-Lib seeds both averages at the bar where the slow one becomes valid.
        if n > slow - fast then
            state[2] := state[2] + value;
        end if;
        state[3] := state[3] + value;
        if n < slow then
            return state;
        end if;
        state[2] := state[2] / fast;
        state[3] := state[3] / slow;
    end if;
    macd := state[2] - state[3];
    if n >= slow + signal then
        state[4] := (macd - state[4]) * (2.0::float8 / (signal + 1)) + state[4];
    elsif n = slow + signal - 1 then
        state[4] := (state[4] + macd) / signal;
    else
        state[4] := state[4] + macd;
    end if;
    return state;
end $$;

create aggregate indicators.macd(seed float8[], value float8, fast integer, slow integer, signal integer) (
    sfunc = indicators.macd_step, stype = float8[]
);
comment on aggregate indicators.macd(float8[], float8, integer, integer, integer) is
'MACD. State: [1] bars seen, [2] fast EMA, [3] slow EMA, [4] signal. All valid from bar slow + signal - 1 on. TA-Lib MACD: both EMAs are seeded at bar slow, the signal by the mean of its first values.';

-- State: [1] bars, [2] previous value, then per period mean gain and mean loss.
create function indicators.rsi_step(state float8[], seed float8[], value float8, periods integer[])
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    gain float8;
    loss float8;
    p integer;
begin
    if state is null then
        state := coalesce(seed, array_fill(0::float8, array[2 + 2 * cardinality(periods)]));
    end if;
    n := state[1];
    if n > 0 then
        gain := greatest(value - state[2], 0);
        loss := greatest(state[2] - value, 0);
        for k in 1 .. cardinality(periods) loop
            p := periods[k];
            if n > p then
                state[1 + 2 * k] := (state[1 + 2 * k] * (p - 1) + gain) / p;
                state[2 + 2 * k] := (state[2 + 2 * k] * (p - 1) + loss) / p;
            elsif n = p then
                state[1 + 2 * k] := (state[1 + 2 * k] + gain) / p;
                state[2 + 2 * k] := (state[2 + 2 * k] + loss) / p;
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

create aggregate indicators.rsi(seed float8[], value float8, periods integer[]) (
    sfunc = indicators.rsi_step, stype = float8[]
);
comment on aggregate indicators.rsi(float8[], float8, integer[]) is
'Wilder means of gains and losses. State: [1] bars seen, [2] last value, [1+2k] mean gain and [2+2k] mean loss of periods[k], valid from bar periods[k] + 1 on. RSI = 100 * gain / (gain + loss), 0 when both are 0. TA-Lib RSI, CMO.';

-- State: [1] bars, [2] high, [3] low, [4] close of the previous bar, [5] ATR, [6] +DM, [7] -DM, [8] TR, [9] ADX.
create function indicators.directional_step(
    state float8[], seed float8[], high float8, low float8, close float8, period integer
)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    up float8;
    down float8;
    true_range float8;
    di_sum float8;
    dx float8;
begin
    if state is null then
        state := coalesce(seed, array_fill(0::float8, array[9]));
    end if;
    n := state[1];
    if n > 0 then
        true_range := greatest(high - low, abs(high - state[4]), abs(low - state[4]));
        up := high - state[2];
        down := state[3] - low;
        if down > 0 and up < down then
            up := 0;
        elsif up > 0 and up > down then
            down := 0;
        else
            up := 0;
            down := 0;
        end if;
        -- ATR: simple mean of the first true ranges, then Wilder.
        if n > period then
            state[5] := (state[5] * (period - 1) + true_range) / period;
        elsif n = period then
            state[5] := (state[5] + true_range) / period;
        else
            state[5] := state[5] + true_range;
        end if;
        -- Directional movement: sums of the first period - 1, then Wilder's decaying sums.
        if n >= period then
            state[6] := state[6] - state[6] / period + up;
            state[7] := state[7] - state[7] / period + down;
            state[8] := state[8] - state[8] / period + true_range;
            dx := null;
            -- 1e-14 is TA-Lib's zero.
            if abs(state[8]) >= 1e-14 then
                di_sum := (state[6] + state[7]) / state[8];
                if abs(di_sum * 100) >= 1e-14 then
                    dx := 100 * (abs(state[7] / state[8] - state[6] / state[8]) / di_sum);
                end if;
            end if;
            if n >= 2 * period then
                state[9] := coalesce((state[9] * (period - 1) + dx) / period, state[9]);
            else
                state[9] := state[9] + coalesce(dx, 0);
                if n = 2 * period - 1 then
                    state[9] := state[9] / period;
                end if;
            end if;
        else
            state[6] := state[6] + up;
            state[7] := state[7] + down;
            state[8] := state[8] + true_range;
        end if;
    end if;
    state[1] := n + 1;
    state[2] := high;
    state[3] := low;
    state[4] := close;
    return state;
end $$;

create aggregate indicators.directional(seed float8[], high float8, low float8, close float8, period integer) (
    sfunc = indicators.directional_step, stype = float8[]
);
comment on aggregate indicators.directional(float8[], float8, float8, float8, integer) is
'Wilder''s directional system. State: [1] bars seen, [2..4] last high, low, close, [5] ATR (valid from bar period + 1), [6] +DM, [7] -DM, [8] true range as decaying sums (valid from bar period + 1; DI = 100 * DM / TR), [9] ADX (valid from bar 2 * period). TA-Lib ATR, PLUS_DI, MINUS_DI, ADX.';

-- State: [1] bars, [2..4] first, second and third EMA, [5] third EMA of the previous bar.
create function indicators.triple_ema_step(state float8[], seed float8[], value float8, period integer)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    x float8 := value;
    alpha constant float8 := 2.0::float8 / (period + 1);
    first_bar integer;
begin
    if state is null then
        state := coalesce(seed, array_fill(0::float8, array[5]));
    end if;
    n := state[1] + 1;
    state[1] := n;
    state[5] := state[4];
    for k in 2 .. 4 loop
        -- Bar at which this average gets its first input, and its seed length is `period` inputs.
        first_bar := (k - 2) * (period - 1);
        exit when n <= first_bar;
        if n - first_bar > period then
            state[k] := (x - state[k]) * alpha + state[k];
        elsif n - first_bar = period then
            state[k] := (state[k] + x) / period;
        else
            state[k] := state[k] + x;
        end if;
        x := state[k];
    end loop;
    return state;
end $$;

create aggregate indicators.triple_ema(seed float8[], value float8, period integer) (
    sfunc = indicators.triple_ema_step, stype = float8[]
);
comment on aggregate indicators.triple_ema(float8[], float8, integer) is
'EMA of the EMA of the EMA. State: [1] bars seen, [2] first, [3] second, [4] third average, [5] the third of the bar before. TRIX = 100 * ([4] / [5] - 1), valid from bar 3 * (period - 1) + 2 on. TA-Lib TRIX.';

-- State: [1] previous close (NULL at the first bar), [2] OBV, [3] VPT, [4] A/D line.
create function indicators.volume_flow_step(
    state float8[], seed float8[], high float8, low float8, close float8, volume float8
)
returns float8[] language plpgsql immutable as $$
begin
    volume := coalesce(volume, 0);
    if state is null then
        state := coalesce(seed, array[null, volume, 0, 0]::float8[]);
    end if;
    if state[1] is not null then
        state[2] := state[2] + sign(close - state[1]) * volume;
        if state[1] <> 0 then
            state[3] := state[3] + volume * (close / state[1] - 1);
        end if;
    end if;
    if high > low then
        state[4] := state[4] + ((close - low) - (high - close)) / (high - low) * volume;
    end if;
    state[1] := close;
    return state;
end $$;

create aggregate indicators.volume_flow(seed float8[], high float8, low float8, close float8, volume float8) (
    sfunc = indicators.volume_flow_step, stype = float8[]
);
comment on aggregate indicators.volume_flow(float8[], float8, float8, float8, float8) is
'Cumulative volume lines from the first bar of the series. State: [1] last close, [2] on-balance volume (starts at the first volume), [3] volume-price trend (starts at 0), [4] accumulation/distribution. A bar without volume adds nothing. TA-Lib OBV, AD.';

-- State: [1] session, [2] sum of typical price * volume and [3] of volume within it, [4] its last regular close,
-- [5] close of the session before, [6] sessions closed, [7] mean gain, [8] mean loss over them.
create function indicators.session_step(
    state float8[], seed float8[], session float8, is_regular boolean,
    high float8, low float8, close float8, volume float8, period integer
)
returns float8[] language plpgsql immutable as $$
declare
    n float8;
    gain float8;
    loss float8;
begin
    if state is null then
        state := coalesce(seed, array[session, 0, 0, null, null, 0, 0, 0]::float8[]);
    end if;
    if state[1] <> session then
        if state[4] is not null then
            n := state[6];
            if n > 0 then
                gain := greatest(state[4] - state[5], 0);
                loss := greatest(state[5] - state[4], 0);
                if n > period then
                    state[7] := (state[7] * (period - 1) + gain) / period;
                    state[8] := (state[8] * (period - 1) + loss) / period;
                else
                    state[7] := state[7] + gain;
                    state[8] := state[8] + loss;
                    if n = period then
                        state[7] := state[7] / period;
                        state[8] := state[8] / period;
                    end if;
                end if;
            end if;
            state[6] := n + 1;
            state[5] := state[4];
        end if;
        state[1] := session;
        state[2] := 0;
        state[3] := 0;
        state[4] := null;
    end if;
    if volume is not null then
        state[2] := state[2] + (high + low + close) / 3 * volume;
        state[3] := state[3] + volume;
    end if;
    if is_regular then
        state[4] := close;
    end if;
    return state;
end $$;

create aggregate indicators.session(
    seed float8[], session float8, is_regular boolean,
    high float8, low float8, close float8, volume float8, period integer
) (
    sfunc = indicators.session_step, stype = float8[]
);
comment on aggregate indicators.session(float8[], float8, boolean, float8, float8, float8, float8, integer) is
'What a bar knows of its session and of the sessions closed before it. State: [1] session number, [2] sum of typical price * volume, [3] sum of volume since the session began (VWAP = [2] / [3]), [4] last regular close, [5] close of the session before, [6] sessions closed, [7] mean gain and [8] mean loss over them (RSI of session closes, valid when [6] > period).';

create aggregate indicators.product(float8) (sfunc = float8mul, stype = float8, initcond = '1');
comment on aggregate indicators.product(float8) is 'Product of all values; 1 for none.';
