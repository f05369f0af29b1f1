select numerator / nullif(denominator, 0)
