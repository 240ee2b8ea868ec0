"""Clients for servers with the synthetic models of baker.synthetic."""
