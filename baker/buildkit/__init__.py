"""BuildKit by way of buildx: builders, the call of bake, what it prints, and its caches."""
