"""Tiny models with known answers, on which the real moshi-server and the real tts.py run on a CPU.

Nearly every weight is zero, so that every transformer is the identity; the few that are not make the answer known.
"""
