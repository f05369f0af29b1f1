-- The ledgers of a challenge, and the fold of its events.

create table trades (
    challenge_id text not null,
    trade_id text not null constraint trades_trade_id_not_empty check (trim(trade_id) <> ''),
    sequence_number integer
    constraint trades_sequence_from_1 check (typeof(sequence_number) in ('integer', 'null') and sequence_number > 0),
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint trades_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    symbol text not null constraint trades_symbol_not_empty check (trim(symbol) <> ''),
    side text not null constraint trades_side_known check (side in ('BUY', 'SELL')),
    quantity numeric not null
    constraint trades_quantity_in_range check (
        typeof(quantity) in ('integer', 'real') and abs(quantity) < 1e14 and quantity > 0
    ),
    price numeric not null
    constraint trades_price_in_range check (typeof(price) in ('integer', 'real') and abs(price) < 1e14 and price > 0),
    realized_pnl numeric not null default 0
    constraint trades_realized_pnl_is_number check (
        typeof(realized_pnl) in ('integer', 'real') and abs(realized_pnl) < 1e14
    ),
    commission numeric not null default 0
    constraint trades_commission_in_range check (
        typeof(commission) in ('integer', 'real') and abs(commission) < 1e14 and commission >= 0
    ),
    executed_at text not null
    constraint trades_executed_at_is_time check (
        executed_at like '____-__-__%' and julianday(executed_at) is not null
    ),
    corrects_trade_id text,
    tenant_id text not null default 'house' constraint trades_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint trades_key unique (challenge_id, trade_id),
    constraint trades_sequence_key unique (challenge_id, sequence_number),
    constraint trades_challenge_known foreign key (challenge_id, tenant_id) references challenges (id, tenant_id),
    constraint trades_corrected_known foreign key (challenge_id, corrects_trade_id)
    references trades (challenge_id, trade_id),
    constraint trades_corrects_another check (corrects_trade_id <> trade_id)
);
create index trades_executed_idx on trades (challenge_id, executed_at);
create index trades_corrected_idx on trades (challenge_id, corrects_trade_id) where corrects_trade_id is not null;
create trigger trades_no_replace before insert on trades
when exists (select 1 from trades where id = new.id)
    or exists (
        select 1 from trades where challenge_id = new.challenge_id and trade_id = new.trade_id
    )
    or exists (
        select 1 from trades where challenge_id = new.challenge_id and sequence_number = new.sequence_number
    )
begin insert into write_guard (what) values ('trades'); end;
create trigger trades_sequence before insert on trades
when new.sequence_number > 1 + (
    select coalesce(max(sequence_number), 0) from trades where challenge_id = new.challenge_id
)
begin select raise(abort, 'trades: sequence_number leaves a gap. Leave it out to get the next.'); end;
create trigger trades_number after insert on trades when new.sequence_number is null
begin
    update trades set sequence_number = 1 + (
        select coalesce(max(sequence_number), 0) from trades where challenge_id = new.challenge_id
    ) where id = new.id;
end;
create trigger trades_no_update before update on trades
when old.sequence_number is not null
begin
    select raise(abort, 'trades is append-only: update refused. Insert a trade whose corrects_trade_id names it.');
end;
create trigger trades_no_delete before delete on trades
begin
    select raise(abort, 'trades is append-only: delete refused. Insert a trade whose corrects_trade_id names it.');
end;

create table challenge_events (
    challenge_id text not null,
    sequence_number integer
    constraint challenge_events_sequence_from_1 check (
        typeof(sequence_number) in ('integer', 'null') and sequence_number > 0
    ),
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint challenge_events_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    event_type text not null
    constraint challenge_events_event_type_known check (
        event_type in (
            'CHALLENGE_CREATED', 'CHALLENGE_ACTIVATED', 'CHALLENGE_FAILED', 'CHALLENGE_FUNDED', 'DAY_STARTED',
            'EQUITY_MARKED', 'TRADE_EXECUTED', 'TRADE_CORRECTED', 'RULE_BREACHED', 'NOTE'
        )
    ),
    event_data text not null default '{}'
    constraint challenge_events_event_data_is_object check (
        json_valid(event_data) and json_type(event_data) = 'object'
    )
    constraint challenge_events_event_data_not_personal check (
        event_data not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
        and json(event_data) not like '%"email":%' escape '~'
        and json(event_data) not like '%"e~_mail":%' escape '~'
        and json(event_data) not like '%"phone":%' escape '~'
        and json(event_data) not like '%"full~_name":%' escape '~'
        and json(event_data) not like '%"fullname":%' escape '~'
        and json(event_data) not like '%"first~_name":%' escape '~'
        and json(event_data) not like '%"firstname":%' escape '~'
        and json(event_data) not like '%"last~_name":%' escape '~'
        and json(event_data) not like '%"lastname":%' escape '~'
        and json(event_data) not like '%"ip":%' escape '~'
        and json(event_data) not like '%"ip~_address":%' escape '~'
        and json(event_data) not like '%"ipaddress":%' escape '~'
        and json(event_data) not like '%"date~_of~_birth":%' escape '~'
    ),
    description text
    constraint challenge_events_description_not_personal check (
        description not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
    ),
    occurred_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint challenge_events_occurred_at_is_time check (
        occurred_at like '____-__-__%' and julianday(occurred_at) is not null
    ),
    tenant_id text not null default 'house'
    constraint challenge_events_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint challenge_events_sequence_key unique (challenge_id, sequence_number),
    constraint challenge_events_challenge_known foreign key (challenge_id, tenant_id)
    references challenges (id, tenant_id),
    constraint challenge_events_trade_has_pnl check (
        event_type not in ('TRADE_EXECUTED', 'TRADE_CORRECTED')
        or (
            json_type(event_data, '$.trade_id') is not null
            and coalesce(json_type(event_data, '$.pnl'), '') in ('integer', 'real')
        )
    ),
    constraint challenge_events_mark_has_equity check (
        event_type <> 'EQUITY_MARKED' or coalesce(json_type(event_data, '$.current_equity'), '') in ('integer', 'real')
    )
);
create index challenge_events_type_idx on challenge_events (challenge_id, event_type, occurred_at);
create trigger challenge_events_no_replace before insert on challenge_events
when exists (select 1 from challenge_events where id = new.id)
    or exists (
        select 1 from challenge_events where challenge_id = new.challenge_id and sequence_number = new.sequence_number
    )
begin insert into write_guard (what) values ('challenge_events'); end;
create trigger challenge_events_sequence before insert on challenge_events
when new.sequence_number > 1 + (
    select coalesce(max(sequence_number), 0) from challenge_events where challenge_id = new.challenge_id
)
begin select raise(abort, 'challenge_events: sequence_number leaves a gap. Leave it out to get the next.'); end;
create trigger challenge_events_number after insert on challenge_events when new.sequence_number is null
begin
    update challenge_events set sequence_number = 1 + (
        select coalesce(max(sequence_number), 0) from challenge_events where challenge_id = new.challenge_id
    ) where id = new.id;
end;
create trigger challenge_events_no_update before update on challenge_events
when old.sequence_number is not null
begin
    select raise(abort, 'challenge_events is append-only: update refused. Append an event that says what is right.');
end;
create trigger challenge_events_no_delete before delete on challenge_events
begin
    select raise(abort, 'challenge_events is append-only: delete refused. Append an event that says what is right.');
end;

create table challenge_equity_ticks (
    challenge_id text not null,
    tick_ts text not null
    constraint challenge_equity_ticks_tick_ts_is_time check (
        tick_ts like '____-__-__%' and julianday(tick_ts) is not null
    ),
    equity numeric not null
    constraint challenge_equity_ticks_equity_is_number check (
        typeof(equity) in ('integer', 'real') and abs(equity) < 1e14
    ),
    balance numeric
    constraint challenge_equity_ticks_balance_is_number check (
        typeof(balance) in ('integer', 'real', 'null') and abs(balance) < 1e14
    ),
    open_positions integer
    constraint challenge_equity_ticks_open_positions_from_0 check (
        typeof(open_positions) in ('integer', 'null') and open_positions >= 0
    ),
    tenant_id text not null default 'house'
    constraint challenge_equity_ticks_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint challenge_equity_ticks_pkey primary key (challenge_id, tick_ts),
    constraint challenge_equity_ticks_challenge_known foreign key (challenge_id, tenant_id)
    references challenges (id, tenant_id)
);
create trigger challenge_equity_ticks_no_replace before insert on challenge_equity_ticks
when exists (
        select 1 from challenge_equity_ticks where challenge_id = new.challenge_id and tick_ts = new.tick_ts
    )
begin insert into write_guard (what) values ('challenge_equity_ticks'); end;
create trigger challenge_equity_ticks_no_update before update on challenge_equity_ticks
begin
    select raise(abort, 'challenge_equity_ticks is append-only: update refused. Append a tick of another moment.');
end;
create trigger challenge_equity_ticks_no_delete before delete on challenge_equity_ticks
begin
    select raise(abort, 'challenge_equity_ticks is append-only: delete refused. Append a tick of another moment.');
end;

------------------------------------------------------------------------------- the fold of the events

-- Which equity each event leaves follows from the last event that set it and the profits since; the rest is carried
-- from event to event by the recursion.
create view challenge_replay as
with recursive
said as (
    select
        e.*,
        case when e.event_type in ('TRADE_EXECUTED', 'TRADE_CORRECTED')
            then json_extract(e.event_data, '$.pnl') else 0 end as pnl,
        coalesce(
            json_extract(e.event_data, '$.current_equity'),
            case e.event_type
                when 'CHALLENGE_CREATED'
                    then coalesce(json_extract(e.event_data, '$.initial_balance'), c.initial_balance)
            end
        ) as set_equity,
        c.initial_balance
    from challenge_events as e
    inner join challenges as c on e.challenge_id = c.id
    where e.event_type not in ('NOTE', 'RULE_BREACHED')
),
segmented as (
    select
        *,
        row_number() over in_order as place,
        count(set_equity) over in_order as segment
    from said
    window in_order as (partition by challenge_id order by sequence_number)
),
step as (
    select
        *,
        coalesce(max(set_equity) over (partition by challenge_id, segment), initial_balance)
        + sum(case when set_equity is null then pnl else 0 end) over (
            partition by challenge_id, segment order by place
        ) as equity,
        event_type in ('CHALLENGE_CREATED', 'DAY_STARTED') as starts_day
    from segmented
),
fold as (
    select
        id as challenge_id, 0 as place, 'PENDING' as status, initial_balance as current_equity,
        initial_balance as max_equity_ever, initial_balance as daily_start_equity,
        initial_balance as daily_max_equity, initial_balance as daily_min_equity,
        0 as total_trades, 0 as total_pnl,
        null as started_at, null as ended_at, null as funded_at, null as failure_reason
    from challenges
    union all
    select
        f.challenge_id,
        s.place,
        case s.event_type
            when 'CHALLENGE_ACTIVATED' then 'ACTIVE'
            when 'CHALLENGE_FAILED' then 'FAILED'
            when 'CHALLENGE_FUNDED' then 'FUNDED'
            else f.status
        end,
        s.equity,
        coalesce(
            json_extract(s.event_data, '$.max_equity_ever'),
            case s.event_type when 'CHALLENGE_CREATED' then s.equity else max(f.max_equity_ever, s.equity) end
        ),
        coalesce(
            json_extract(s.event_data, '$.daily_start_equity'),
            case when s.starts_day then s.equity else f.daily_start_equity end
        ),
        coalesce(json_extract(s.event_data, '$.daily_max_equity'), case
            when s.starts_day then s.equity
            when s.event_type = 'EQUITY_MARKED' then max(f.daily_max_equity, s.equity)
            else f.daily_max_equity
        end),
        coalesce(json_extract(s.event_data, '$.daily_min_equity'), case
            when s.starts_day then s.equity
            when s.event_type = 'EQUITY_MARKED' then min(f.daily_min_equity, s.equity)
            else f.daily_min_equity
        end),
        f.total_trades + (s.event_type = 'TRADE_EXECUTED'),
        f.total_pnl + s.pnl,
        coalesce(
            json_extract(s.event_data, '$.started_at'),
            case s.event_type when 'CHALLENGE_ACTIVATED' then s.occurred_at else f.started_at end
        ),
        coalesce(
            json_extract(s.event_data, '$.ended_at'),
            case when s.event_type in ('CHALLENGE_FAILED', 'CHALLENGE_FUNDED') then s.occurred_at else f.ended_at end
        ),
        coalesce(
            json_extract(s.event_data, '$.funded_at'),
            case s.event_type when 'CHALLENGE_FUNDED' then s.occurred_at else f.funded_at end
        ),
        coalesce(json_extract(s.event_data, '$.failure_reason'), f.failure_reason)
    from fold as f
    inner join step as s on f.challenge_id = s.challenge_id and s.place = f.place + 1
)
select
    f.challenge_id, c.user_id, c.challenge_type, f.status, c.initial_balance,
    f.current_equity, f.max_equity_ever, f.daily_start_equity, f.daily_max_equity, f.daily_min_equity,
    f.total_trades, f.total_pnl, f.started_at, f.ended_at, f.funded_at, f.failure_reason
from fold as f
inner join challenges as c on f.challenge_id = c.id
where f.place = (select count(*) from said as e where e.challenge_id = f.challenge_id);
