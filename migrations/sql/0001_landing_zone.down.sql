drop schema ops cascade;
drop schema ref cascade;
drop schema raw_market cascade;
