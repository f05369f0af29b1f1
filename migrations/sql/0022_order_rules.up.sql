-- The rules of orders and fills that need more than a row: states, sums, corrections.
--
-- Everything that a fill moves hangs on one lock, the row of its account: two sessions that fill orders of one
-- account wait for each other, those of different accounts do not. A statement takes its locks in one order.

create function raw_trading.order_may_become(
    from_status types.order_status, to_status types.order_status, after_correction boolean default false
)
returns boolean
language sql immutable set search_path = pg_catalog as $$
    select case
        when from_status is null then to_status in ('pending', 'accepted')
        when from_status = 'pending' then to_status <> 'pending'
        when from_status = 'accepted' then to_status not in ('pending', 'accepted')
        when from_status = 'partially_filled' then
            to_status in ('filled', 'cancelled', 'expired') or (after_correction and to_status = 'accepted')
        when from_status = 'filled' then after_correction and to_status in ('partially_filled', 'accepted')
        else false
    end
$$;
comment on function raw_trading.order_may_become(types.order_status, types.order_status, boolean) is 'True when an order in the first status (NULL: a new one) may come to the second. Back from filled only where a fill was corrected; nowhere from cancelled, rejected and expired.';

create function raw_trading.price_may_be_negative(symbol text) returns boolean
language sql stable set search_path = pg_catalog as $$
    select exists (
        select from ref.symbol_history as h
        inner join ref.instruments as i on i.instrument_id = h.instrument_id
        where h.symbol = price_may_be_negative.symbol and i.allow_negative_price
    )
$$;
comment on function raw_trading.price_may_be_negative(text) is 'True when an instrument of that symbol has ref.instruments.allow_negative_price.';

create function raw_trading.check_price(who text, symbol text, price numeric) returns void
language plpgsql stable set search_path = pg_catalog as $$
begin
    if price <= 0 and not raw_trading.price_may_be_negative(symbol) then
        raise exception '%: price % of % is not positive', who, trim_scale(price), symbol
            using errcode = 'check_violation',
            hint = 'If it is real: update ref.instruments set allow_negative_price = true.';
    end if;
end $$;
comment on function raw_trading.check_price(text, text, numeric) is 'Refuses a price that is not positive where the instrument''s prices cannot be negative.';

create function raw_trading.raise_version() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if new.version not in (old.version, old.version + 1) then
        raise exception '%.%: version is %, not %', tg_table_schema, tg_table_name, old.version, new.version - 1
            using errcode = 'serialization_failure',
            hint = 'Somebody changed the row since you read it: read it again.';
    end if;
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end $$;
comment on function raw_trading.raise_version() is 'Row trigger before UPDATE: raises version by one, whether or not the statement does (fills change orders too), and keeps updated_at.';

create trigger strategies_raise_version before update on raw_trading.strategies
for each row execute function raw_trading.raise_version();
create trigger orders_raise_version before update on raw_trading.orders
for each row execute function raw_trading.raise_version();

------------------------------------------------------------------------------- orders

create function raw_trading.filled(order_id text, out quantity numeric, out average_price numeric, out is_corrected boolean)
language plpgsql stable set search_path = pg_catalog as $$
begin
    select
        coalesce(sum(t.quantity), 0), (sum(t.quantity * t.price) / nullif(sum(t.quantity), 0))::numeric(24, 10)
    into quantity, average_price
    from raw_trading.trades as t where t.order_id = filled.order_id;
    is_corrected := exists (
        select from raw_trading.fills as c where c.order_id = filled.order_id and c.corrects_fill_id is not null
    );
end $$;
comment on function raw_trading.filled(text) is 'What the fills in force of an order come to, and whether one of its fills was ever corrected.';

create function raw_trading.check_order() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    landed record;
    is_corrected boolean := false;
begin
    if least(new.price, new.stop_price) <= 0 then
        perform raw_trading.check_price('order ' || new.order_id, new.symbol, least(new.price, new.stop_price));
    end if;

    if tg_op = 'INSERT' then
        if new.filled_quantity <> 0 then
            raise exception 'order %: filled_quantity is the sum of its fills, of which none has landed', new.order_id
                using errcode = 'check_violation', hint = 'Leave it out and land the fills.';
        end if;
        return new;
    end if;

    if (new.order_id, new.account_id, new.tenant_id, new.symbol, new.side)
        is distinct from (old.order_id, old.account_id, old.tenant_id, old.symbol, old.side) then
        raise exception 'order %: id, account, tenant, symbol and side stay as they were placed', old.order_id
            using errcode = 'restrict_violation', hint = 'Cancel it and place another order.';
    end if;
    if new.filled_quantity <> old.filled_quantity
        or new.average_fill_price is distinct from old.average_fill_price
        or new.status < old.status then
        landed := raw_trading.filled(new.order_id);
        is_corrected := landed.is_corrected;
        if (new.filled_quantity, new.average_fill_price) is distinct from (landed.quantity, landed.average_price) then
            raise exception 'order %: its fills come to % at %, not to % at %', new.order_id,
                trim_scale(landed.quantity), trim_scale(landed.average_price),
                trim_scale(new.filled_quantity), trim_scale(new.average_fill_price)
                using errcode = 'check_violation', hint = 'Leave filled_quantity and average_fill_price out and land the fills.';
        end if;
    end if;
    if new.filled_quantity > new.quantity or (new.filled_quantity > 0 and new.status = 'rejected') then
        raise exception 'order % (%): fills of % against % ordered', new.order_id, old.status,
            trim_scale(new.filled_quantity), trim_scale(new.quantity)
            using errcode = 'check_violation',
            hint = 'A rejected order has no fills, and no order more than its quantity. If the quantity was amended, update the order first.';
    end if;
    if new.status <> old.status and not raw_trading.order_may_become(old.status, new.status, is_corrected) then
        raise exception 'order %: % cannot become %', new.order_id, old.status, new.status
            using errcode = 'check_violation',
            hint = 'docs/trading.md has the states of an order.';
    end if;
    return new;
end $$;
comment on function raw_trading.check_order() is 'Row trigger: legal changes of status only; what was placed stays; filled_quantity and average_fill_price are those of the fills.';

alter table raw_trading.orders add constraint orders_filled_has_status check (
    filled_quantity = 0 or status not in ('pending', 'accepted')
);
comment on constraint orders_filled_has_status on raw_trading.orders is 'An order that was filled, if in part, is no longer pending or accepted.';

create trigger orders_check before insert or update on raw_trading.orders
for each row execute function raw_trading.check_order();

------------------------------------------------------------------------------- fills: what is refused

create function raw_trading.validate_trade_data() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    placed record;
    corrected record;
begin
    if new.corrects_fill_id is not null then
        select * into corrected from raw_trading.fills as f where f.fill_id = new.corrects_fill_id;
        -- Without one, the foreign key has the message.
        if found then
            new.account_id := coalesce(new.account_id, corrected.account_id);
            new.order_id := coalesce(new.order_id, corrected.order_id);
            new.symbol := coalesce(new.symbol, corrected.symbol);
            new.side := coalesce(new.side, corrected.side);
            new.currency := coalesce(new.currency, corrected.currency);
            new.quantity := coalesce(new.quantity, corrected.quantity);
            new.price := coalesce(new.price, corrected.price);
            if corrected.is_cancel then
                raise exception 'fill %: % is a cancellation, which nothing corrects', new.fill_id, corrected.fill_id
                    using errcode = 'check_violation', hint = 'If the execution happened after all, land it as a fill of its own.';
            end if;
            if (new.account_id, new.order_id, new.symbol, new.side, new.currency)
                is distinct from (corrected.account_id, corrected.order_id, corrected.symbol, corrected.side, corrected.currency)
            then
                raise exception 'fill %: account, order, symbol, side and currency are not those of % that it corrects',
                    new.fill_id, corrected.fill_id
                    using errcode = 'check_violation', hint = 'Cancel the wrong fill and land the right one.';
            end if;
            if new.is_cancel and (new.quantity, new.price) is distinct from (corrected.quantity, corrected.price) then
                raise exception 'fill %: takes back % at %, but % was % at %', new.fill_id,
                    trim_scale(new.quantity), trim_scale(new.price), corrected.fill_id,
                    trim_scale(corrected.quantity), trim_scale(corrected.price)
                    using errcode = 'check_violation', hint = 'A cancellation repeats what it takes back.';
            end if;
        end if;
    end if;

    if new.order_id is not null then
        select o.account_id, o.symbol, o.side, o.strategy_id, o.correlation_id into placed
        from raw_trading.orders as o where o.order_id = new.order_id;
        if found then
            new.account_id := coalesce(new.account_id, placed.account_id);
            new.symbol := coalesce(new.symbol, placed.symbol);
            new.side := coalesce(new.side, placed.side);
            new.strategy_id := coalesce(new.strategy_id, placed.strategy_id);
            new.correlation_id := coalesce(new.correlation_id, placed.correlation_id);
            if (new.account_id, new.symbol, new.side) is distinct from (placed.account_id, placed.symbol, placed.side) then
                raise exception 'fill %: % of % on account %, but its order % is to % % on account %', new.fill_id,
                    new.side, new.symbol, new.account_id, new.order_id, placed.side, placed.symbol, placed.account_id
                    using errcode = 'check_violation', hint = 'A fill has the account, the symbol and the side of its order.';
            end if;
        end if;
    end if;

    if new.price <= 0 then
        perform raw_trading.check_price('fill ' || new.fill_id, new.symbol, new.price);
    end if;
    return new;
end $$;
comment on function raw_trading.validate_trade_data() is 'Row trigger of fills, named as in seed A: takes what is left out from the order or from the corrected fill, and refuses what contradicts them. Zero quantities, NaN and infinities are refused by the types.';

create trigger trigger_validate_trade_data before insert or update on raw_trading.fills
for each row execute function raw_trading.validate_trade_data();

------------------------------------------------------------------------------- fills: what they move

-- Keys go in as arrays, so that a plan made for a bulk load still finds single rows by index.
create function raw_trading.update_order_from_trade() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    owners constant text[] := array(select distinct account_id::text from landed);
    touched constant text[] := array(select distinct order_id::text from landed where order_id is not null);
begin
    perform from raw_trading.accounts where account_id = any(owners) order by account_id for no key update;
    perform from raw_trading.orders where order_id = any(touched) order by order_id for no key update;

    update raw_trading.orders as o set
        filled_quantity = f.quantity,
        average_fill_price = f.average_price,
        status = case
            when o.status in ('cancelled', 'expired', 'rejected') then o.status
            when f.quantity = o.quantity then 'filled'
            -- The application may know of fills that have not landed yet; only a correction takes a status back.
            when o.status in ('filled', 'partially_filled') and not f.is_corrected then o.status
            when f.quantity > 0 then 'partially_filled'
            when o.status in ('filled', 'partially_filled') then 'accepted'
            else o.status
        end
    from unnest(touched) as t (order_id), raw_trading.filled(t.order_id) as f
    where o.order_id = t.order_id;
    return null;
end $$;
comment on function raw_trading.update_order_from_trade() is 'Statement trigger of fills: filled quantity, average price and status of the orders they fill. A cancelled or expired order keeps its status.';

create trigger trigger_update_order_from_trade after insert on raw_trading.fills
referencing new table as landed
for each statement execute function raw_trading.update_order_from_trade();

------------------------------------------------------------------------------- positions

-- State: quantity, cost and realised profit. Every step rounds to the ten digits that are stored, so that going on
-- from a stored position and starting again from the first fill give the same digits, and realised - cost is
-- exactly the money that the fills moved.
create function raw_trading.average_cost_step(state numeric[], seed numeric[], quantity numeric, price numeric)
returns numeric[]
language plpgsql immutable set search_path = pg_catalog as $$
declare
    held numeric;
    cost numeric;
    realised numeric;
    paid numeric := round(quantity * price, 10);
    closing numeric;
begin
    state := coalesce(state, seed, array[0, 0, 0]);
    held := state[1];
    cost := state[2];
    realised := state[3];
    if held * quantity >= 0 then  -- opens, or adds
        return array[held + quantity, cost + paid, realised];
    elsif abs(quantity) < abs(held) then  -- closes a part, with its share of the cost
        closing := round(cost * -quantity / held, 10);
        return array[held + quantity, cost - closing, realised - paid - closing];
    end if;
    -- Closes all, and opens the other way with what is left.
    closing := case when quantity = -held then paid else round(-held * price, 10) end;
    return array[held + quantity, paid - closing, realised - closing - cost];
end $$;
comment on function raw_trading.average_cost_step(numeric[], numeric[], numeric, numeric) is 'One step of raw_trading.average_cost.';

create aggregate raw_trading.average_cost(seed numeric[], quantity numeric, price numeric) (
    sfunc = raw_trading.average_cost_step, stype = numeric[]
);
comment on aggregate raw_trading.average_cost(numeric[], numeric, numeric) is
'Position after executions in order (quantity positive for buys, negative for sells): [1] quantity, [2] cost of what is held, [3] realised profit before commissions. seed: the position to go on from; NULL: flat.';

create view raw_trading.positions_expected with (security_invoker = true) as
select
    f.account_id, f.symbol, f.state[1] as quantity, f.state[2] as cost, f.state[3] as realised_pnl, f.commission, f.fills
from (
    select
        account_id, symbol, sum(commission) as commission, count(*) as fills,
        raw_trading.average_cost(
            null, case side when 'buy' then quantity else -quantity end, price order by "timestamp" asc, seq asc
        ) as state
    from raw_trading.trades
    group by account_id, symbol
) as f;
comment on view raw_trading.positions_expected is 'What raw_trading.positions_live must be: positions by average cost, folded from all fills in force.';

-- Where the new fills are the last ones, the position goes on from what is stored; where one is late or a
-- correction, it is folded again from the first fill.
create function raw_trading.update_position_from_trade() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    owners constant text[] := array(select distinct account_id::text from landed);
    fresh record;
    stored raw_trading.positions_live;
    state numeric[];
begin
    perform from raw_trading.accounts where account_id = any(owners) order by account_id for no key update;

    for fresh in
        select
            l.account_id, l.symbol, min(l.tenant_id) as tenant_id, bool_or(l.corrects_fill_id is not null) as corrects,
            array_agg(case l.side when 'buy' then l.quantity else -l.quantity end order by l."timestamp", l.seq) as quantities,
            array_agg(l.price order by l."timestamp", l.seq) as prices,
            array_agg(l."timestamp" order by l."timestamp", l.seq) as times,
            array_agg(l.seq order by l."timestamp", l.seq) as numbers,
            sum(l.commission) as commission, count(*) as fills
        from landed as l
        group by l.account_id, l.symbol
    loop
        select * into stored from raw_trading.positions_live as p
        where p.account_id = fresh.account_id and p.symbol = fresh.symbol;
        if not fresh.corrects and (fresh.times[1], fresh.numbers[1]) > (stored.last_fill_at, stored.last_fill_seq) then
            state := array[stored.quantity, stored.cost, stored.realised_pnl];
            for n in 1 .. fresh.fills loop
                state := raw_trading.average_cost_step(state, null, fresh.quantities[n], fresh.prices[n]);
            end loop;
            stored.commission := stored.commission + fresh.commission;
            stored.fills := stored.fills + fresh.fills;
            stored.last_fill_at := fresh.times[fresh.fills];
            stored.last_fill_seq := fresh.numbers[fresh.fills];
        else
            select array[e.quantity, e.cost, e.realised_pnl], e.commission, e.fills
            into state, stored.commission, stored.fills
            from raw_trading.positions_expected as e
            where e.account_id = fresh.account_id and e.symbol = fresh.symbol;
            select t."timestamp", t.seq into stored.last_fill_at, stored.last_fill_seq
            from raw_trading.trades as t
            where t.account_id = fresh.account_id and t.symbol = fresh.symbol
            order by t."timestamp" desc, t.seq desc limit 1;
        end if;

        -- No row of positions_expected: every fill was taken back.
        insert into raw_trading.positions_live (
            account_id, symbol, tenant_id, quantity, cost, realised_pnl, commission, fills, last_fill_at, last_fill_seq
        ) values (
            fresh.account_id, fresh.symbol, fresh.tenant_id, coalesce(state[1], 0), coalesce(state[2], 0),
            coalesce(state[3], 0), coalesce(stored.commission, 0), coalesce(stored.fills, 0),
            stored.last_fill_at, stored.last_fill_seq
        )
        on conflict (account_id, symbol) do update set
            quantity = excluded.quantity, cost = excluded.cost, realised_pnl = excluded.realised_pnl,
            commission = excluded.commission, fills = excluded.fills,
            last_fill_at = excluded.last_fill_at, last_fill_seq = excluded.last_fill_seq, updated_at = now();
    end loop;
    return null;
end $$;
comment on function raw_trading.update_position_from_trade() is 'Statement trigger of fills, named as in seed A: keeps raw_trading.positions_live.';

create trigger trigger_update_position_from_trade after insert on raw_trading.fills
referencing new table as landed
for each statement execute function raw_trading.update_position_from_trade();

create function raw_trading.refuse_position() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    raise exception 'raw_trading.positions_live is kept by the fills: % refused', lower(tg_op)
        using errcode = 'restrict_violation', hint = 'Land the fill that is missing, or the correction of the wrong one.';
end $$;
comment on function raw_trading.refuse_position() is 'Statement trigger of positions_live: nobody writes it but the trigger of fills.';

create trigger positions_live_kept before insert or update or delete on raw_trading.positions_live
for each statement when (pg_trigger_depth() = 0) execute function raw_trading.refuse_position();
create trigger positions_live_stay before truncate on raw_trading.positions_live
for each statement execute function raw_trading.refuse_position();

select ops.apply_roles();
