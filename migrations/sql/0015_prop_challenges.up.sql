-- The prop-trading application: challenges, their ledgers of trades and events, and the fold of the events.

create table raw_prop.challenges (
    id uuid constraint challenges_pkey primary key default gen_random_uuid(),
    user_id uuid not null,
    challenge_type types.label not null,
    status text not null default 'PENDING'
    constraint challenges_status_known check (status in ('PENDING', 'ACTIVE', 'FAILED', 'FUNDED')),
    currency types.currency not null default 'USD',
    rule_set types.label,
    initial_balance types.amount not null constraint challenges_initial_balance_positive check (initial_balance > 0),
    max_daily_drawdown_percent types.fraction not null,
    max_total_drawdown_percent types.fraction not null,
    profit_target_percent types.fraction not null,
    current_equity types.amount not null,
    max_equity_ever types.amount not null,
    daily_start_equity types.amount not null,
    daily_max_equity types.amount not null,
    daily_min_equity types.amount not null,
    total_trades integer not null default 0 constraint challenges_total_trades_not_negative check (total_trades >= 0),
    total_pnl types.amount not null default 0,
    started_at timestamptz,
    ended_at timestamptz,
    funded_at timestamptz,
    failure_reason types.impersonal_text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1 constraint challenges_version_positive check (version > 0),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint challenges_tenant_key unique (id, tenant_id),
    constraint challenges_user_known foreign key (user_id, tenant_id) references raw_prop.user_accounts (id, tenant_id),
    constraint challenges_ended_when_final check ((status in ('FAILED', 'FUNDED')) = (ended_at is not null)),
    constraint challenges_funded_at_when_funded check ((status = 'FUNDED') = (funded_at is not null)),
    constraint challenges_ends_after_start check (ended_at >= started_at),
    constraint challenges_reason_when_failed check (failure_reason is null or status = 'FAILED'),
    constraint challenges_max_equity_is_highest check (max_equity_ever >= current_equity),
    constraint challenges_daily_equity_in_order check (
        daily_min_equity <= daily_start_equity and daily_start_equity <= daily_max_equity
    )
);
create index challenges_user_idx on raw_prop.challenges (user_id, created_at desc);
create index challenges_open_idx on raw_prop.challenges (tenant_id, status) where ended_at is null;
create index challenges_funded_idx on raw_prop.challenges (tenant_id, funded_at) where funded_at is not null;
comment on table raw_prop.challenges is 'An account that a trader has to prove himself on. PENDING, ACTIVE, then FAILED or FUNDED. State; raw_prop.replay_challenge folds it from its events.';
comment on column raw_prop.challenges.id is 'Random UUID.';
comment on column raw_prop.challenges.user_id is 'Whose challenge it is.';
comment on column raw_prop.challenges.challenge_type is 'Product and phase, as the application calls it: PHASE_1 ….';
comment on column raw_prop.challenges.status is 'PENDING (not started), ACTIVE, FAILED (a rule was broken), FUNDED (passed).';
comment on column raw_prop.challenges.currency is 'Currency of every amount of the challenge.';
comment on column raw_prop.challenges.rule_set is 'Rules it is judged by besides the three fractions here (challenge_rules); NULL: none.';
comment on column raw_prop.challenges.initial_balance is 'Equity at the start.';
comment on column raw_prop.challenges.max_daily_drawdown_percent is 'Fraction in [0, 1] (0.05 is 5 %) that equity may fall below the day''s start.';
comment on column raw_prop.challenges.max_total_drawdown_percent is 'Fraction in [0, 1] that equity may fall below initial_balance.';
comment on column raw_prop.challenges.profit_target_percent is 'Fraction in [0, 1] of initial_balance to be gained.';
comment on column raw_prop.challenges.current_equity is 'Equity now.';
comment on column raw_prop.challenges.max_equity_ever is 'Highest equity since the start.';
comment on column raw_prop.challenges.daily_start_equity is 'Equity when the trading day began.';
comment on column raw_prop.challenges.daily_max_equity is 'Highest equity marked in the trading day.';
comment on column raw_prop.challenges.daily_min_equity is 'Lowest equity marked in the trading day.';
comment on column raw_prop.challenges.total_trades is 'Trades so far; corrections are not counted.';
comment on column raw_prop.challenges.total_pnl is 'Sum of the trades'' realised profit and loss.';
comment on column raw_prop.challenges.started_at is 'When it became ACTIVE; NULL: not yet, or not told.';
comment on column raw_prop.challenges.ended_at is 'When it became FAILED or FUNDED; NULL until then.';
comment on column raw_prop.challenges.funded_at is 'When it became FUNDED; else NULL.';
comment on column raw_prop.challenges.failure_reason is 'Why it FAILED; NULL: did not, or not told.';
comment on column raw_prop.challenges.created_at is 'When the user bought it.';
comment on column raw_prop.challenges.updated_at is 'When this row was last changed.';
comment on column raw_prop.challenges.version is 'Optimistic lock: every update of an application raises it by one.';
comment on column raw_prop.challenges.tenant_id is 'Tenant of the user.';
comment on column raw_prop.challenges.source is 'Application or feed the row came from.';
comment on column raw_prop.challenges.batch_id is 'Landing that brought or last changed the row; NULL: an application wrote it itself.';
comment on column raw_prop.challenges.known_at is 'When the warehouse first knew it.';
comment on constraint challenges_status_known on raw_prop.challenges is 'The status of a challenge is not PENDING, ACTIVE, FAILED or FUNDED.';
comment on constraint challenges_initial_balance_positive on raw_prop.challenges is 'The initial balance is not above zero.';
comment on constraint challenges_total_trades_not_negative on raw_prop.challenges is 'Fewer than no trades.';
comment on constraint challenges_version_positive on raw_prop.challenges is 'The version is below 1.';
comment on constraint challenges_tenant_key on raw_prop.challenges is 'Lets references name the tenant too: nothing belongs to a challenge of another tenant.';
comment on constraint challenges_user_known on raw_prop.challenges is 'No such user in this tenant.';
comment on constraint challenges_ended_when_final on raw_prop.challenges is 'ended_at is for FAILED and FUNDED, and required there.';
comment on constraint challenges_funded_at_when_funded on raw_prop.challenges is 'funded_at is for FUNDED, and required there.';
comment on constraint challenges_ends_after_start on raw_prop.challenges is 'The challenge ends before it starts.';
comment on constraint challenges_reason_when_failed on raw_prop.challenges is 'A reason of failure, but the challenge has not FAILED.';
comment on constraint challenges_max_equity_is_highest on raw_prop.challenges is 'max_equity_ever is below current_equity.';
comment on constraint challenges_daily_equity_in_order on raw_prop.challenges is 'The day''s lowest, first and highest equity are out of order.';

create function raw_prop.check_rule_set() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if not exists (
        select from raw_prop.challenge_rules
        where tenant_id = new.tenant_id and rule_set = new.rule_set
    ) then
        raise exception 'raw_prop.challenges %: no rule set %', new.id, new.rule_set
            using errcode = 'foreign_key_violation', hint = 'Insert its rules into raw_prop.challenge_rules first.';
    end if;
    return new;
end $$;
comment on function raw_prop.check_rule_set() is 'Row trigger: the rule set of a challenge exists. No foreign key can say it, as a set has many rows.';

create trigger challenges_stay before delete or truncate on raw_prop.challenges
for each statement execute function ops.refuse_mutation('A challenge stays: end it as FAILED, with its reason.');
create trigger challenges_keep before update on raw_prop.challenges
for each row execute function raw_prop.keep_columns(
    'id', 'user_id', 'challenge_type', 'currency', 'initial_balance', 'max_daily_drawdown_percent',
    'max_total_drawdown_percent', 'profit_target_percent', 'created_at', 'tenant_id'
);
create trigger challenges_rule_set before insert or update of rule_set on raw_prop.challenges
for each row when (new.rule_set is not null) execute function raw_prop.check_rule_set();
-- What never started cannot have failed: PENDING does not become FAILED.
create trigger challenges_status before insert or update on raw_prop.challenges
for each row execute function raw_prop.check_status('PENDING', 'PENDING>ACTIVE', 'ACTIVE>FAILED', 'ACTIVE>FUNDED');
create trigger challenges_version before update on raw_prop.challenges
for each row when (new.batch_id is not distinct from old.batch_id) execute function ops.check_version();
create trigger challenges_landed_version before update on raw_prop.challenges
for each row when (new.batch_id is distinct from old.batch_id) execute function raw_prop.check_landed_version();
create trigger challenges_touch before update on raw_prop.challenges
for each row execute function ops.touch_updated_at();
create trigger challenges_log_changes after insert on raw_prop.challenges
referencing new table as changed for each statement execute function ops.log_landed('id', 'updated_at');
create trigger challenges_log_updates after update on raw_prop.challenges
referencing new table as changed for each statement execute function ops.log_landed('id', 'updated_at');

------------------------------------------------------------------------------- sequences

-- Locks the challenge, so that two sessions cannot draw the same number. A number that is taken already is left to the
-- keys of the table, so that ON CONFLICT and the message of a duplicate work as everywhere. Argument: the column
-- that tells whether the row is there already (it then gets the number it has), or none.
create function raw_prop.next_in_sequence() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    latest bigint;
    known bigint;
begin
    perform from raw_prop.challenges where id = new.challenge_id for no key update;
    execute format('select max(sequence_number) from %s where challenge_id = $1', tg_relid::regclass)
    using new.challenge_id into latest;
    latest := coalesce(latest, 0);
    if new.sequence_number is null then
        execute format(
            'select sequence_number from %s where challenge_id = $1 and %I::text = $2',
            tg_relid::regclass, tg_argv[0]
        ) using new.challenge_id, to_jsonb(new) ->> tg_argv[0] into known;
        new.sequence_number := coalesce(known, latest + 1);
    elsif new.sequence_number > latest + 1 then
        raise exception '%.%: challenge % has % as its last sequence_number, % leaves a gap',
            tg_table_schema, tg_table_name, new.challenge_id, latest, new.sequence_number
            using errcode = 'check_violation', hint = format('The next is %s. Leave sequence_number out to get it.', latest + 1);
    end if;
    return new;
end $$;
comment on function raw_prop.next_in_sequence() is 'Row trigger of a challenge''s ledgers: 1, 2, 3 … without a gap, under concurrency too; NULL gets the next number.';

------------------------------------------------------------------------------- trades

create table raw_prop.trades (
    challenge_id uuid not null,
    trade_id types.label not null,
    sequence_number bigint not null constraint trades_sequence_from_1 check (sequence_number > 0),
    id uuid not null default gen_random_uuid() constraint trades_id_key unique,
    symbol types.label not null,
    side text not null constraint trades_side_known check (side in ('BUY', 'SELL')),
    quantity types.quantity not null,
    price types.amount not null constraint trades_price_positive check (price > 0),
    realized_pnl types.amount not null default 0,
    commission types.non_negative not null default 0,
    executed_at timestamptz not null,
    corrects_trade_id text,
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint trades_pkey primary key (challenge_id, trade_id),
    constraint trades_sequence_key unique (challenge_id, sequence_number),
    constraint trades_challenge_known foreign key (challenge_id, tenant_id) references raw_prop.challenges (id, tenant_id),
    constraint trades_corrected_known foreign key (challenge_id, corrects_trade_id)
    references raw_prop.trades (challenge_id, trade_id),
    constraint trades_corrects_another check (corrects_trade_id <> trade_id)
);
create index trades_executed_idx on raw_prop.trades (challenge_id, executed_at);
create index trades_corrected_idx on raw_prop.trades (challenge_id, corrects_trade_id) where corrects_trade_id is not null;
comment on table raw_prop.trades is 'Trades of a challenge as executed, in strict sequence. A correction is another trade that names the first. Ledger.';
comment on column raw_prop.trades.challenge_id is 'The challenge.';
comment on column raw_prop.trades.trade_id is 'Id at the broker or platform, once in a challenge.';
comment on column raw_prop.trades.sequence_number is '1, 2, 3 … in a challenge, without a gap; NULL on insert gets the next.';
comment on column raw_prop.trades.id is 'Random UUID.';
comment on column raw_prop.trades.symbol is 'Symbol as sent.';
comment on column raw_prop.trades.side is 'BUY or SELL.';
comment on column raw_prop.trades.quantity is 'Units, always positive: the direction is the side''s.';
comment on column raw_prop.trades.price is 'Price of one unit.';
comment on column raw_prop.trades.realized_pnl is 'Profit or loss that the trade realised, in the challenge''s currency. Of a correction: the difference.';
comment on column raw_prop.trades.commission is 'Commission paid, in the challenge''s currency; not in realized_pnl.';
comment on column raw_prop.trades.executed_at is 'When it was executed.';
comment on column raw_prop.trades.corrects_trade_id is 'Trade of the challenge that this one corrects; NULL: a trade of its own.';
comment on column raw_prop.trades.tenant_id is 'Tenant of the challenge.';
comment on column raw_prop.trades.source is 'Application or feed the row came from.';
comment on column raw_prop.trades.batch_id is 'Landing that brought the row; NULL: an application wrote it itself.';
comment on column raw_prop.trades.known_at is 'When the warehouse first knew it.';
comment on constraint trades_sequence_from_1 on raw_prop.trades is 'Sequences begin at 1.';
comment on constraint trades_side_known on raw_prop.trades is 'The side is not BUY or SELL.';
comment on constraint trades_price_positive on raw_prop.trades is 'The price is not above zero.';
comment on constraint trades_pkey on raw_prop.trades is 'The challenge has a trade of this id with other values.';
comment on constraint trades_id_key on raw_prop.trades is 'Another trade has this UUID.';
comment on constraint trades_sequence_key on raw_prop.trades is 'The challenge has another trade with this sequence_number.';
comment on constraint trades_challenge_known on raw_prop.trades is 'No such challenge in this tenant.';
comment on constraint trades_corrected_known on raw_prop.trades is 'The challenge has no trade of the id that is to be corrected.';
comment on constraint trades_corrects_another on raw_prop.trades is 'The trade corrects itself.';
create trigger trades_sequence before insert on raw_prop.trades
for each row execute function raw_prop.next_in_sequence('trade_id');
create trigger trades_append_only before update or delete or truncate on raw_prop.trades
for each statement execute function ops.refuse_mutation('Insert a trade whose corrects_trade_id names this one.');
create trigger trades_log_changes after insert on raw_prop.trades
referencing new table as changed for each statement execute function ops.log_landed('challenge_id', 'executed_at');

------------------------------------------------------------------------------- events

create table raw_prop.challenge_events (
    challenge_id uuid not null,
    sequence_number bigint not null constraint challenge_events_sequence_from_1 check (sequence_number > 0),
    id uuid not null default gen_random_uuid() constraint challenge_events_id_key unique,
    event_type text not null constraint challenge_events_type_known check (
        event_type in (
            'CHALLENGE_CREATED', 'CHALLENGE_ACTIVATED', 'CHALLENGE_FAILED', 'CHALLENGE_FUNDED', 'DAY_STARTED',
            'EQUITY_MARKED', 'TRADE_EXECUTED', 'TRADE_CORRECTED', 'RULE_BREACHED', 'NOTE'
        )
    ),
    event_data types.impersonal_json not null default '{}',
    description types.impersonal_text,
    occurred_at timestamptz not null default now(),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint challenge_events_pkey primary key (challenge_id, sequence_number),
    constraint challenge_events_challenge_known foreign key (challenge_id, tenant_id)
    references raw_prop.challenges (id, tenant_id),
    constraint challenge_events_trade_has_pnl check (
        event_type not in ('TRADE_EXECUTED', 'TRADE_CORRECTED')
        or (event_data ? 'trade_id' and coalesce(jsonb_typeof(event_data -> 'pnl') = 'number', false))
    ),
    constraint challenge_events_mark_has_equity check (
        event_type <> 'EQUITY_MARKED' or coalesce(jsonb_typeof(event_data -> 'current_equity') = 'number', false)
    )
);
create index challenge_events_type_idx on raw_prop.challenge_events (challenge_id, event_type, occurred_at);
create index challenge_events_data_idx on raw_prop.challenge_events using gin (event_data jsonb_path_ops);
comment on table raw_prop.challenge_events is 'What happened to a challenge, in strict sequence; folded in it, the events give the row of raw_prop.challenges. Ledger.';
comment on column raw_prop.challenge_events.challenge_id is 'The challenge.';
comment on column raw_prop.challenge_events.sequence_number is '1, 2, 3 … in a challenge, without a gap; NULL on insert gets the next.';
comment on column raw_prop.challenge_events.id is 'Random UUID; an application that may send an event twice gives its own.';
comment on column raw_prop.challenge_events.event_type is 'What happened; docs/prop.md says what each type does to the challenge.';
comment on column raw_prop.challenge_events.event_data is 'pnl adds; a key named as a column of the challenge sets it. Amounts are JSON numbers.';
comment on column raw_prop.challenge_events.description is 'The event in words, for an auditor; NULL: none.';
comment on column raw_prop.challenge_events.occurred_at is 'When it happened; the order is sequence_number''s.';
comment on column raw_prop.challenge_events.tenant_id is 'Tenant of the challenge.';
comment on column raw_prop.challenge_events.source is 'Application or feed the row came from.';
comment on column raw_prop.challenge_events.batch_id is 'Landing that brought the row; NULL: an application wrote it itself.';
comment on column raw_prop.challenge_events.known_at is 'When the warehouse first knew it.';
comment on constraint challenge_events_sequence_from_1 on raw_prop.challenge_events is 'Sequences begin at 1.';
comment on constraint challenge_events_pkey on raw_prop.challenge_events is 'The challenge has another event with this sequence_number.';
comment on constraint challenge_events_id_key on raw_prop.challenge_events is 'Another event has this UUID.';
comment on constraint challenge_events_type_known on raw_prop.challenge_events is 'No such type of event: what changes nothing is a NOTE.';
comment on constraint challenge_events_challenge_known on raw_prop.challenge_events is 'No such challenge in this tenant.';
comment on constraint challenge_events_trade_has_pnl on raw_prop.challenge_events is 'The event of a trade has no trade_id, or no pnl that is a number.';
comment on constraint challenge_events_mark_has_equity on raw_prop.challenge_events is 'The mark has no current_equity that is a number.';
create trigger challenge_events_sequence before insert on raw_prop.challenge_events
for each row execute function raw_prop.next_in_sequence('id');
create trigger challenge_events_append_only before update or delete or truncate on raw_prop.challenge_events
for each statement execute function ops.refuse_mutation('Append an event that says what is right.');
create trigger challenge_events_log_changes after insert on raw_prop.challenge_events
referencing new table as changed for each statement execute function ops.log_landed('challenge_id', 'occurred_at');

create table raw_prop.challenge_equity_ticks (
    challenge_id uuid not null,
    tick_ts timestamptz not null,
    equity types.amount not null,
    balance types.amount,
    open_positions integer constraint challenge_equity_ticks_positions_not_negative check (open_positions >= 0),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint challenge_equity_ticks_pkey primary key (challenge_id, tick_ts),
    constraint challenge_equity_ticks_challenge_known foreign key (challenge_id, tenant_id)
    references raw_prop.challenges (id, tenant_id)
);
comment on table raw_prop.challenge_equity_ticks is 'Equity of a challenge as the platform marked it, between the events. Ledger.';
comment on column raw_prop.challenge_equity_ticks.challenge_id is 'The challenge.';
comment on column raw_prop.challenge_equity_ticks.tick_ts is 'When equity was marked.';
comment on column raw_prop.challenge_equity_ticks.equity is 'Balance and open profit and loss, in the challenge''s currency.';
comment on column raw_prop.challenge_equity_ticks.balance is 'Equity without what is open; NULL: not told.';
comment on column raw_prop.challenge_equity_ticks.open_positions is 'Number of open positions; NULL: not told.';
comment on column raw_prop.challenge_equity_ticks.tenant_id is 'Tenant of the challenge.';
comment on column raw_prop.challenge_equity_ticks.source is 'Application or feed the row came from.';
comment on column raw_prop.challenge_equity_ticks.batch_id is 'Landing that brought the row; NULL: an application wrote it itself.';
comment on column raw_prop.challenge_equity_ticks.known_at is 'When the warehouse first knew it.';
comment on constraint challenge_equity_ticks_pkey on raw_prop.challenge_equity_ticks is 'The challenge has another equity at this moment.';
comment on constraint challenge_equity_ticks_positions_not_negative on raw_prop.challenge_equity_ticks is 'Fewer than no positions.';
comment on constraint challenge_equity_ticks_challenge_known on raw_prop.challenge_equity_ticks is 'No such challenge in this tenant.';
create trigger challenge_equity_ticks_append_only before update or delete or truncate on raw_prop.challenge_equity_ticks
for each statement execute function ops.refuse_mutation('Append a tick of another moment.');
create trigger challenge_equity_ticks_log_changes after insert on raw_prop.challenge_equity_ticks
referencing new table as changed for each statement execute function ops.log_landed('challenge_id', 'tick_ts');

------------------------------------------------------------------------------- the fold of the events

create function raw_prop.apply_event(state jsonb, event_type text, event_data jsonb, occurred_at timestamptz)
returns jsonb language plpgsql stable set search_path = pg_catalog as $$
declare
    pnl numeric := 0;
    equity numeric;
    result jsonb := state;
begin
    if event_type in ('NOTE', 'RULE_BREACHED') then
        return state;
    end if;
    if event_type = 'CHALLENGE_CREATED' then
        result := state || jsonb_build_object('current_equity', coalesce(event_data -> 'initial_balance', state -> 'initial_balance'));
        result := result || jsonb_build_object(
            'max_equity_ever', result -> 'current_equity', 'daily_start_equity', result -> 'current_equity',
            'daily_max_equity', result -> 'current_equity', 'daily_min_equity', result -> 'current_equity'
        ) || event_data;
        return result;
    end if;
    if event_type in ('TRADE_EXECUTED', 'TRADE_CORRECTED') then
        pnl := (event_data ->> 'pnl')::numeric;
        result := result || jsonb_build_object(
            'total_pnl', (state ->> 'total_pnl')::numeric + pnl,
            'total_trades', (state ->> 'total_trades')::bigint + (event_type = 'TRADE_EXECUTED')::int
        );
    end if;
    equity := coalesce((event_data ->> 'current_equity')::numeric, (state ->> 'current_equity')::numeric + pnl);
    result := result || jsonb_build_object(
        'current_equity', equity,
        'max_equity_ever', greatest((state ->> 'max_equity_ever')::numeric, equity)
    );
    result := result || case event_type
        when 'CHALLENGE_ACTIVATED' then jsonb_build_object('status', 'ACTIVE', 'started_at', occurred_at)
        when 'CHALLENGE_FAILED' then jsonb_build_object('status', 'FAILED', 'ended_at', occurred_at)
        when 'CHALLENGE_FUNDED'
            then jsonb_build_object('status', 'FUNDED', 'ended_at', occurred_at, 'funded_at', occurred_at)
        when 'DAY_STARTED' then jsonb_build_object(
            'daily_start_equity', equity, 'daily_max_equity', equity, 'daily_min_equity', equity
        )
        when 'EQUITY_MARKED' then jsonb_build_object(
            'daily_max_equity', greatest((state ->> 'daily_max_equity')::numeric, equity),
            'daily_min_equity', least((state ->> 'daily_min_equity')::numeric, equity)
        )
        else '{}'
    end;
    -- What the event itself says of a column comes last.
    return result || (
        select coalesce(jsonb_object_agg(d.key, d.value), '{}')
        from jsonb_each(event_data) as d
        where d.key in (
            'current_equity', 'max_equity_ever', 'daily_start_equity', 'daily_max_equity', 'daily_min_equity',
            'started_at', 'ended_at', 'funded_at', 'failure_reason'
        )
    );
end $$;
comment on function raw_prop.apply_event(jsonb, text, jsonb, timestamptz) is 'State of a challenge after one more event.';

create function raw_prop.replay_challenge(challenge uuid) returns setof raw_prop.challenges
language plpgsql stable set search_path = pg_catalog as $$
declare
    state jsonb;
    event record;
begin
    -- What never changes is the head of the stream: an application need not write CHALLENGE_CREATED.
    select jsonb_build_object(
        'id', c.id, 'user_id', c.user_id, 'challenge_type', c.challenge_type, 'status', 'PENDING',
        'currency', c.currency, 'initial_balance', c.initial_balance,
        'max_daily_drawdown_percent', c.max_daily_drawdown_percent,
        'max_total_drawdown_percent', c.max_total_drawdown_percent,
        'profit_target_percent', c.profit_target_percent,
        'current_equity', c.initial_balance, 'max_equity_ever', c.initial_balance,
        'daily_start_equity', c.initial_balance, 'daily_max_equity', c.initial_balance,
        'daily_min_equity', c.initial_balance, 'total_trades', 0, 'total_pnl', 0,
        'created_at', c.created_at, 'tenant_id', c.tenant_id
    ) into state
    from raw_prop.challenges as c where c.id = challenge;
    if not found then
        return;
    end if;
    for event in
        select e.event_type, e.event_data, e.occurred_at from raw_prop.challenge_events as e
        where e.challenge_id = challenge order by e.sequence_number
    loop
        state := raw_prop.apply_event(state, event.event_type, event.event_data, event.occurred_at);
    end loop;
    return next jsonb_populate_record(null::raw_prop.challenges, state);
end $$;
comment on function raw_prop.replay_challenge(uuid) is 'The challenge as its events tell it; NULL where they say nothing (version, updated_at, landing columns).';

create view raw_prop.challenge_replay with (security_invoker = true) as
select
    r.id as challenge_id,
    r.user_id,
    r.challenge_type,
    r.status,
    r.initial_balance,
    r.current_equity,
    r.max_equity_ever,
    r.daily_start_equity,
    r.daily_max_equity,
    r.daily_min_equity,
    r.total_trades,
    r.total_pnl,
    r.started_at,
    r.ended_at,
    r.funded_at,
    r.failure_reason
from raw_prop.challenges as c
cross join lateral raw_prop.replay_challenge(c.id) as r;
comment on view raw_prop.challenge_replay is 'Every challenge as its events tell it.';

create view raw_prop.challenge_mismatches with (security_invoker = true) as
select
    c.id as challenge_id,
    d.column_name,
    d.landed,
    d.replayed
from raw_prop.challenges as c
cross join lateral raw_prop.replay_challenge(c.id) as r
cross join lateral (
    values
    ('user_id', c.user_id::text, r.user_id::text),
    ('challenge_type', c.challenge_type, r.challenge_type),
    ('status', c.status, r.status),
    ('initial_balance', c.initial_balance::text, r.initial_balance::text),
    ('current_equity', c.current_equity::text, r.current_equity::text),
    ('max_equity_ever', c.max_equity_ever::text, r.max_equity_ever::text),
    ('daily_start_equity', c.daily_start_equity::text, r.daily_start_equity::text),
    ('daily_max_equity', c.daily_max_equity::text, r.daily_max_equity::text),
    ('daily_min_equity', c.daily_min_equity::text, r.daily_min_equity::text),
    ('total_trades', c.total_trades::text, r.total_trades::text),
    ('total_pnl', c.total_pnl::text, r.total_pnl::text),
    ('started_at', c.started_at::text, r.started_at::text),
    ('ended_at', c.ended_at::text, r.ended_at::text),
    ('funded_at', c.funded_at::text, r.funded_at::text),
    ('failure_reason', c.failure_reason::text, r.failure_reason::text)
) as d (column_name, landed, replayed)
where d.landed is distinct from d.replayed;
comment on view raw_prop.challenge_mismatches is 'Where the row of a challenge and the fold of its events differ: one row per column, empty when all is well.';

-- The design's own query rounds a double precision to two digits, which PostgreSQL has for numeric only.
create function raw_prop.round(double precision, integer) returns numeric
language sql immutable strict parallel safe set search_path = pg_catalog as 'select pg_catalog.round($1::numeric, $2)';
comment on function raw_prop.round(double precision, integer) is 'round() of a double precision, for queries written for other databases.';
