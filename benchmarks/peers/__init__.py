"""Other ways to get the same table: pandas with TA-Lib, polars, DuckDB."""
