"""Measurements of the images and of the command line: medians and ratios, both sides in one run, no assertions."""
