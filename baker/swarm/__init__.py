"""Docker Swarm: a stack file out of a compose file, with images by digest and rolling updates."""
