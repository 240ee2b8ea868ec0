"""What a user writes: settings, services, pins and locks, read into values."""
