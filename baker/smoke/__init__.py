"""A smoke test for a machine with a card: an image's binary, packed to run without an engine."""
