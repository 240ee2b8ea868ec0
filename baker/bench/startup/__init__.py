"""Three ways from `up` to a word: compile at start, cache volumes, a baked image."""
