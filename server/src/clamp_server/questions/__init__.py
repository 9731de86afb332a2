"""Question in, answer out: SQL is written and rows are read here, never run."""
