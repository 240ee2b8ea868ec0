"""Pins: where newer versions are looked up, and how baker.lock gets them."""
