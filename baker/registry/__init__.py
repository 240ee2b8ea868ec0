"""Container registries: references of images, logins, and one client for every question."""
