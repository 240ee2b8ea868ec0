"""Docker engines of other releases, from Debian's signed archive, beside the machine's own: for root only."""
