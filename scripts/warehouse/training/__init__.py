"""Training sets: what was known at an instant, in folds that do not leak."""
