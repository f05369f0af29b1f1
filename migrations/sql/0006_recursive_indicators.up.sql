-- All recursive indicators of one series in one pass over its bars.
--
-- As seven aggregates over a window they took 11 us a bar: each call unpacks an array, builds the next one
-- and is copied by the window. Here the state lives in variables. The first bars, where averages are seeded
-- and TA-Lib's rules are, are left to the step functions of the aggregates; after that the lines below do the
-- same additions in the same order, so that a build may go on from a stored state with any of them.

create function indicators.recursive(
    states_every integer,
    highs float8[], lows float8[], closes float8[], volumes float8[], sessions float8[], regular boolean[],
    ema float8[], macd float8[], rsi float8[], triple_ema float8[],
    directional float8[], volume_flow float8[], session_flow float8[],
    out bar integer, out close float8, out volume float8,
    out ema_5 float8, out ema_10 float8, out ema_12 float8, out ema_20 float8,
    out ema_26 float8, out ema_50 float8, out ema_100 float8, out ema_200 float8,
    out macd_fast float8, out macd_slow float8, out macd_signal float8,
    out gain_7 float8, out loss_7 float8, out gain_14 float8, out loss_14 float8, out gain_21 float8, out loss_21 float8,
    out trix float8, out trix_before float8,
    out atr float8, out plus_dm float8, out minus_dm float8, out true_range_sum float8, out adx float8,
    out obv float8, out vpt float8, out ad_line float8,
    out session_money float8, out session_volume float8,
    out sessions_closed float8, out session_gain float8, out session_loss float8,
    out ema_state float8[], out macd_state float8[], out rsi_state float8[], out trix_state float8[],
    out directional_state float8[], out volume_state float8[], out session_state float8[]
)
returns setof record language plpgsql immutable as $$
declare
    bars integer := coalesce(ema[1], 0);
    is_first boolean;
    is_seeding boolean;
    high float8;
    low float8;
    session float8;
    is_regular boolean;
    traded float8;
    flow float8;
    trix_1 float8;
    trix_2 float8;
    high_before float8;
    low_before float8;
    close_before float8;
    gain float8;
    loss float8;
    up float8;
    down float8;
    true_range float8;
    direction float8;
    last_session float8;
    regular_close float8;
begin
    bar := 0;
    for high, low, close, volume, session, is_regular in
        select * from unnest(highs, lows, closes, volumes, sessions, regular)
    loop
        -- The first bar of a call takes the states apart, those of a series' start too.
        is_first := bar = 0;
        is_seeding := bars < 44 or is_first;
        bar := bar + 1;
        bars := bars + 1;

        if bars <= 200 or is_first then
            ema := indicators.ema_ladder_step(ema, null, close);
            ema_5 := ema[2];
            ema_10 := ema[3];
            ema_12 := ema[4];
            ema_20 := ema[5];
            ema_26 := ema[6];
            ema_50 := ema[7];
            ema_100 := ema[8];
            ema_200 := ema[9];
        else
            ema_5 := (close - ema_5) * (2.0::float8 / 6) + ema_5;
            ema_10 := (close - ema_10) * (2.0::float8 / 11) + ema_10;
            ema_12 := (close - ema_12) * (2.0::float8 / 13) + ema_12;
            ema_20 := (close - ema_20) * (2.0::float8 / 21) + ema_20;
            ema_26 := (close - ema_26) * (2.0::float8 / 27) + ema_26;
            ema_50 := (close - ema_50) * (2.0::float8 / 51) + ema_50;
            ema_100 := (close - ema_100) * (2.0::float8 / 101) + ema_100;
            ema_200 := (close - ema_200) * (2.0::float8 / 201) + ema_200;
        end if;

        if is_seeding then
            macd := indicators.macd_step(macd, null, close);
            rsi := indicators.rsi_step(rsi, null, close);
            triple_ema := indicators.triple_ema_step(triple_ema, null, close);
            directional := indicators.directional_step(directional, null, high, low, close);
            volume_flow := indicators.volume_flow_step(volume_flow, null, high, low, close, volume);
            macd_fast := macd[2];
            macd_slow := macd[3];
            macd_signal := macd[4];
            gain_7 := rsi[3];
            loss_7 := rsi[4];
            gain_14 := rsi[5];
            loss_14 := rsi[6];
            gain_21 := rsi[7];
            loss_21 := rsi[8];
            trix_1 := triple_ema[2];
            trix_2 := triple_ema[3];
            trix := triple_ema[4];
            trix_before := triple_ema[5];
            atr := directional[5];
            plus_dm := directional[6];
            minus_dm := directional[7];
            true_range_sum := directional[8];
            adx := directional[9];
            obv := volume_flow[2];
            vpt := volume_flow[3];
            ad_line := volume_flow[4];
        else
            macd_fast := (close - macd_fast) * (2.0::float8 / 13) + macd_fast;
            macd_slow := (close - macd_slow) * (2.0::float8 / 27) + macd_slow;
            macd_signal := (macd_fast - macd_slow - macd_signal) * (2.0::float8 / 10) + macd_signal;

            gain := greatest(close - close_before, 0::float8);
            loss := greatest(close_before - close, 0::float8);
            gain_7 := (gain_7 * 6::float8 + gain) / 7::float8;
            loss_7 := (loss_7 * 6::float8 + loss) / 7::float8;
            gain_14 := (gain_14 * 13::float8 + gain) / 14::float8;
            loss_14 := (loss_14 * 13::float8 + loss) / 14::float8;
            gain_21 := (gain_21 * 20::float8 + gain) / 21::float8;
            loss_21 := (loss_21 * 20::float8 + loss) / 21::float8;

            trix_1 := (close - trix_1) * 0.125::float8 + trix_1;
            trix_2 := (trix_1 - trix_2) * 0.125::float8 + trix_2;
            trix_before := trix;
            trix := (trix_2 - trix) * 0.125::float8 + trix;

            true_range := greatest(high - low, abs(high - close_before), abs(low - close_before));
            up := high - high_before;
            down := low_before - low;
            atr := (atr * 13::float8 + true_range) / 14::float8;
            plus_dm := plus_dm - plus_dm / 14::float8 + case when up > 0 and up > down then up else 0::float8 end;
            minus_dm := minus_dm - minus_dm / 14::float8 + case when down > 0 and down > up then down else 0::float8 end;
            true_range_sum := true_range_sum - true_range_sum / 14::float8 + true_range;
            -- 1e-14 is TA-Lib's zero; a bar without direction leaves the ADX as it was.
            if abs(true_range_sum) >= 1e-14::float8
                and abs(100::float8 * (plus_dm + minus_dm) / true_range_sum) >= 1e-14::float8
            then
                direction := 100::float8 * abs(minus_dm / true_range_sum - plus_dm / true_range_sum)
                    / ((plus_dm + minus_dm) / true_range_sum);
                adx := (adx * 13::float8 + direction) / 14::float8;
            end if;

            traded := coalesce(volume, 0::float8);
            flow := case when high > low then ((close - low) - (high - close)) / (high - low) else 0::float8 end;
            obv := obv + sign(close - close_before) * traded;
            if close_before <> 0::float8 then
                vpt := vpt + traded * (close / close_before - 1::float8);
            end if;
            ad_line := ad_line + flow * traded;
        end if;

        if session = last_session and not is_seeding then
            session_money := session_money + coalesce((high + low + close) / 3::float8 * volume, 0::float8);
            session_volume := session_volume + coalesce(volume, 0::float8);
            if is_regular then
                regular_close := close;
            end if;
        else
            -- One bar in seven begins a session: its step function knows what that closes.
            if not is_seeding then
                session_flow[2] := session_money;
                session_flow[3] := session_volume;
                session_flow[4] := regular_close;
            end if;
            session_flow := indicators.session_step(
                session_flow, null, session, is_regular, high, low, close, volume
            );
            session_money := session_flow[2];
            session_volume := session_flow[3];
            regular_close := session_flow[4];
            sessions_closed := session_flow[6];
            session_gain := session_flow[7];
            session_loss := session_flow[8];
        end if;

        high_before := high;
        low_before := low;
        close_before := close;
        last_session := session;

        if bars % states_every = 0 then
            session_flow[2] := session_money;
            session_flow[3] := session_volume;
            session_flow[4] := regular_close;
            ema_state := array[bars, ema_5, ema_10, ema_12, ema_20, ema_26, ema_50, ema_100, ema_200];
            macd_state := array[bars, macd_fast, macd_slow, macd_signal];
            rsi_state := array[bars, close, gain_7, loss_7, gain_14, loss_14, gain_21, loss_21];
            trix_state := array[bars, trix_1, trix_2, trix, trix_before];
            directional_state := array[bars, high, low, close, atr, plus_dm, minus_dm, true_range_sum, adx];
            volume_state := array[close, obv, vpt, ad_line];
            session_state := session_flow;
        elsif ema_state is not null then
            ema_state := null;
            macd_state := null;
            rsi_state := null;
            trix_state := null;
            directional_state := null;
            volume_state := null;
            session_state := null;
        end if;
        return next;
    end loop;
end $$;

comment on function indicators.recursive is
'EMA, MACD, RSI, TRIX, directional movement, volume lines and session VWAP of one series: one row a bar, in order; bar counts them from 1. The states are those of the aggregates of this schema: given, that after the bar before the first (NULL: the series begins); returned, those after every bar whose number in the series is a multiple of states_every.';
