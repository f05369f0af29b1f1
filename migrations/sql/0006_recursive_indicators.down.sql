drop function indicators.recursive;
