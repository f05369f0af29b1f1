"""A living sample: agents that trade on the real bars that are landed, reproducible by a seed."""
