"""From services and pins to a Dockerfile, its bake file and the stages in them. Pure: nothing here asks an engine."""
