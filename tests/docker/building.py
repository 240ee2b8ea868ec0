"""Programs of a service's own, whose build scripts do what a test needs, and the processes of a build."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.docker.project import SERVICE

if TYPE_CHECKING:
    from tests.docker.project import Project


def add_tool(project: Project, name: str, build_script: str) -> None:
    """Give the service a small program of its own, whose build script can do what a test needs."""
    folder = f"services/hello/{name}"
    project.write(f"{folder}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n')
    project.write(f"{folder}/Cargo.lock", f'version = 3\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n')
    project.write(f"{folder}/src/main.rs", "fn main() {}\n")
    project.write(f"{folder}/build.rs", build_script)
    tools = f'[image]\ntools = ["{name}"]\n[[image'
    project.write("services/hello/service.toml", SERVICE.replace("[[image", tools, 1))


def running(pattern: str) -> list[str]:
    return subprocess.run(["pgrep", "--full", pattern], capture_output=True, text=True, check=False).stdout.splitlines()
