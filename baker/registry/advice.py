"""Advice: what to do when a registry refuses, in a few words that end a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.registry.references import DOCKER_HUB

if TYPE_CHECKING:
    from baker.registry.references import Reference

# https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry
GITHUB = "ghcr.io"


def log_in(registry: str) -> str:
    """Return what helps where a registry wants a login, or another one."""
    if registry == DOCKER_HUB:
        return "`docker login`, as an account that may do this there"
    if registry == GITHUB:
        return (
            f"`docker login {GITHUB}` with a classic token that has read:packages, and write:packages to push "
            "(in a workflow: `packages: write` under permissions)"
        )
    return f"`docker login {registry}`"


def make(reference: Reference) -> str:
    """Return what helps where a registry knows no such repository: https://docs.aws.amazon.com/AmazonECR/."""
    return f"make the repository {reference.repository} first: this registry makes none by itself"


def trust(registry: str) -> str:
    """Return what helps where a registry's certificate is of an authority that nobody here knows."""
    return f"its authority belongs into /etc/docker/certs.d/{registry}/ca.crt"


def no_tls(registry: str) -> str:
    """Return what helps where a registry answers without TLS."""
    return (
        f"{registry} answers without TLS, which baker speaks only to this machine: give the registry a certificate, "
        "or forward a port to it (`ssh -L`) and name it 127.0.0.1:PORT"
    )
