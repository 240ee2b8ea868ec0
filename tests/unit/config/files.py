"""A small project with every file that is read, and a call that reads them all, as a build does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baker.config import project, uvlock
from baker.config.platforms import AMD64
from baker.dockerfile import planner
from baker.dockerfile.choice import Choice

if TYPE_CHECKING:
    from baker.dockerfile.plan import Plan

SERVICE = "services/hello/service.toml"
PYPROJECT = "services/hello/p/pyproject.toml"
UV_LOCK = "services/hello/p/uv.lock"
MANIFEST = "services/hello/tool/Cargo.toml"
FILES = {
    "baker.toml": '[images]\nnamespace = "test"\n[build]\ncapabilities = ["8.0"]\n[mirrors]\npypi = "https://x.y/z"\n',
    "baker.lock": "",
    SERVICE: """\
title = "Hello"
description = "A service."
inherits = "../base.toml"
[crate.features]
cuda = ["cuda"]
[python]
project = "p"
layers = [["a"], ["b", "c/d"]]
[image]
port = 80
budget = "1.5 GB"
tools = ["tool"]
[image.env]
A = "1"
[image.packages]
debian = ["g++"]
[[image.files]]
from = "p"
to = "/app/p"
mode = "0755"
[verify]
unresolved = ["*/lib/*"]
""",
    "services/base.toml": '[crate]\nname = "hello"\nembeds-python = true\n',
    PYPROJECT: """\
[project]
name = "p"
version = "0"
dependencies = ["numpy>=2"]
[dependency-groups]
cuda = ["b", { include-group = "a" }]
a = []
""",
    UV_LOCK: """\
version = 1
[[package]]
name = "p"
version = "0"
source = { virtual = "." }
dependencies = [{ name = "numpy" }]
[package.metadata]
requires-dist = [{ name = "numpy", specifier = ">=2" }]
[package.metadata.requires-dev]
cuda = [{ name = "b" }]
a = []
""",
    MANIFEST: '[package]\nname = "tool"\nversion = "0.1.0"\n[dependencies]\n',
}
READ = sorted(FILES)


def make(folder: Path) -> None:
    """Write the project; its baker.lock is the package's own with pins for what it has."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pinned = project.find(Path("/")).lock.read_text()
    digest = uvlock.digest(folder / UV_LOCK)
    crate = f'[crates.hello]\nversion = "1.0.0"\nsha256 = "{"0" * 64}"\n'
    (folder / "baker.lock").write_text(f'{pinned}p = "{digest}"\n{crate}')


def read(folder: Path) -> Plan:
    """Read and plan the project."""
    found = project.find(folder, strict=True)
    settings, pins, services = found.read_settings(), found.read_pins(), found.read_services(())
    for service in services:
        if service.python:
            uvlock.check(service.python.project, pins)
            uvlock.versions((service.python.project / "uv.lock").read_bytes())
    choice = Choice(
        base="debian",
        accel=settings.accel,
        capabilities=settings.capabilities,
        root="root:1",
        link=False,
        variant=settings.variant,
        platform=AMD64,
        build_platform=AMD64,
        build_root="root:1",
        local=AMD64,
        page=settings.page,
    )
    return planner.make(services, pins, settings.mirrors, choice, found.services_folder)
