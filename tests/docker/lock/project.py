"""A project to lock: its Python project, and how it is locked."""

from __future__ import annotations

from baker.lock import update
from baker.lock.sources import Sources
from baker.system.http import Http
from tests.docker.publishing import anonymous

PYPROJECT = '[project]\nname = "p"\nversion = "0"\ndependencies = []\n'
UV_LOCK = '[[package]]\nname = "p"\nversion = "0"\n[package.metadata]\n[[package]]\nname = "torch"\nversion = "{}"\n'


def lock(project, upgrade, *, write):
    """Bring a project's lock up to date, without a pause before a source is asked again."""
    with Http(wait=lambda _: None) as web:
        mirrors = project.read_settings().mirrors
        sources = Sources(mirrors=mirrors, web=web, registries=anonymous(tries=1))
        return update.update(project, upgrade, sources, write=write)
