"""Verifying images: does one hold together, is it what was asked for, and does it serve?"""
