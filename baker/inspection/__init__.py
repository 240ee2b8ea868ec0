"""What an image is: its layers, versions, mounts and ports, how to run it, and what differs between two of them."""
