"""A build: prepared, baked, verified, tagged; and what one would do."""
