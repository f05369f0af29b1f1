"""The trading warehouse: what SQL and dbt cannot do by themselves."""
