drop index raw_market.bars_known_at_idx;
