"""Clients for moshi-server: speech to text and text to speech over its websockets."""
