"""A service tried out: speech in, speech out, on a running container or one of a moment, and many streams at once."""
