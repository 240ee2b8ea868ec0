"""Logins for tests, behind a credential helper as `docker login` leaves them there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.docker.rules import PASSWORD, USER

# https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
NAME = "baker-test"
HELPER = """#!/bin/sh
[ "$1" = get ] || exit 1
read -r registry
case $registry in
  {registry}) printf '{{"ServerURL":"%s","Username":"{user}","Secret":"{secret}"}}' "$registry" ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def helped(folder: Path, registry: str, key: str = "credHelpers", user: str = USER, secret: str = PASSWORD) -> Path:
    """Write docker's config.json and a credential helper, which belongs on PATH. Return the folder of both.

    Args:
        folder: where they go.
        registry: the one that the helper has a login for.
        key: credHelpers for that registry alone, or credsStore for all.
        user: what the helper prints.
        secret: what the helper prints.
    """
    folder.mkdir()
    program = folder / f"docker-credential-{NAME}"
    program.write_text(HELPER.format(registry=registry, user=user, secret=secret))
    program.chmod(0o755)
    config = {"credHelpers": {registry: NAME}} if key == "credHelpers" else {"credsStore": NAME}
    # `docker login` leaves an empty entry behind when a helper holds the login.
    (folder / "config.json").write_text(json.dumps({**config, "auths": {registry: {}}}))
    return with_plugins(folder)


def with_plugins(folder: Path) -> Path:
    """Give a folder for docker's config the plugins that are there already, as buildx; return it."""
    plugins = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker", "cli-plugins")
    if plugins.exists():
        (folder / "cli-plugins").symlink_to(plugins)
    return folder
