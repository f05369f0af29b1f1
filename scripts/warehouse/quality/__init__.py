"""OHLCV integrity: one catalogue of rules, and the gate that holds bars to it."""
