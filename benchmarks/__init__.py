"""Benchmarks of the warehouse against the ways people do the same work without it."""
