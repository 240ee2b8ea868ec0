"""Measurements: ways from `up` to a word, and what images and commands cost. Medians and ratios, no assertions."""
