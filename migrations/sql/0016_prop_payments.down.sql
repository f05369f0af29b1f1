drop view raw_prop.payment_event_orphans;
drop table raw_prop.risk_alerts;
drop table raw_prop.payment_events;
drop table raw_prop.payments;
