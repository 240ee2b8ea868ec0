"""Publishing: pushed by digest, signed, checked, and only then tagged."""
