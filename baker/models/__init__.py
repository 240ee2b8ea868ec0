"""Models: what configs need of the Hugging Face hub, fetched into a cache or a volume."""
