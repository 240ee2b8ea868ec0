"""A stand-in server for every source of pins, and a project that asks it."""

from __future__ import annotations

import threading

import pytest

from baker.config import project
from baker.lock import uv
from tests.docker.lock.project import PYPROJECT, UV_LOCK
from tests.docker.pin_sources import Server


@pytest.fixture
def server():
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def speech(tmp_path, server, monkeypatch):
    """A project with a crate and a Python project, all of whose sources are the stand-in."""
    mirrors = {key: getattr(server.mirrors, key) for key in ("registry", "debian", "crates", "pypi", "rust")}
    lines = [f'{key} = "{value}"' for key, value in mirrors.items()]
    lines.append(f'debian-security = "{server.mirrors.debian_security}"')
    (tmp_path / "baker.toml").write_text("\n".join(["[mirrors]", *lines]))
    folder = tmp_path / "services" / "hello"
    (folder / "p").mkdir(parents=True)
    (folder / "service.toml").write_text('[crate]\nname = "thing"\n[python]\nproject = "p"\n')
    (folder / "p" / "pyproject.toml").write_text(PYPROJECT)
    (folder / "p" / "uv.lock").write_text(UV_LOCK.format("2.9.1"))
    monkeypatch.setattr(uv, "python", lambda version: {"version": version, "managed": f"{version}.18"})
    monkeypatch.setattr(uv, "relock", lambda _folder, _upgrade: None)
    return project.find(tmp_path)
