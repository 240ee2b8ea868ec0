"""The Docker engine: what it is asked and what runs on it."""
