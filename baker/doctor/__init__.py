"""The doctor: what this machine has and lacks for a build, a start and publishing, and what to do about it."""
