"""What `docker compose up` will need."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import replace

import pytest

from baker.config import project as projects
from baker.doctor import start
from baker.engine.interface import LocalImage
from baker.errors import EngineError
from baker.models import pull
from baker.models.folder import Held, Name
from baker.system import disk
from tests.unit.doctor.findings import commands
from tests.unit.fakes import HERE, FakeEngine

GB = 10**9
COMPOSE = {
    "name": "speech",
    "services": {
        "stt": {"image": "baker/stt:latest", "ports": [{"target": 8080, "published": "8090", "host_ip": "127.0.0.1"}]},
        "tts": {"image": "baker/tts:latest", "ports": [{"target": 8080, "published": "8000-8010"}]},
    },
    "volumes": {"huggingface": {"name": "speech_huggingface"}, "stt-logs": None},
}
STT = LocalImage(id="sha256:1", tags=("baker/stt:latest",), size=1, labels={}, layers=(), config={})


@pytest.fixture
def project(tmp_path):
    """A project with the package's own services and a compose file."""
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    return replace(projects.find(tmp_path), root=tmp_path)


def compose_engine(**more):
    commands = {
        "compose config": json.dumps(COMPOSE),
        "volume ls": "speech_huggingface\n",
        "ps --filter": "",
        **more.pop("commands", {}),
    }
    return FakeEngine(commands=commands, **more)


def test_a_compose_file_is_read():
    found = start.read(COMPOSE)
    assert found.ports == {"stt": (("127.0.0.1", 8090),), "tts": ()}
    assert found.volumes == {"huggingface": "speech_huggingface", "stt-logs": "stt-logs"}


def test_a_project_without_a_compose_file(project):
    (project.root / "docker-compose.yml").unlink()
    assert start.look(project, project.read_settings(), FakeEngine()) == ()


def test_images_that_are_missing_are_built(project):
    found = start.images(start.read(COMPOSE), project, compose_engine(images={"baker/stt:latest": STT}))
    assert found.state == "note"
    assert commands(found)[0][-5:] == ("baker", "build", "tts", "--project", str(project.root))


def test_ports():
    engine = compose_engine(commands={"ps --filter": "speech-stt-1 baker/stt:latest\n"})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert start._port("stt", "baker/stt:latest", "127.0.0.1", taken, engine).state == "ok"
        found = start._port("tts", "baker/tts:latest", "127.0.0.1", taken, engine)
        assert (found.state, found.fix) == ("missing", None)
        assert "taken by speech-stt-1" in found.detail
        assert f"BAKER_TTS_PORT={taken + 1000}" in found.detail
        found = start._port("tts", "baker/tts:latest", "127.0.0.1", taken, compose_engine())
        assert "taken by another program" in found.detail
    assert start._port("tts", "baker/tts:latest", "127.0.0.1", taken, engine).detail == "free, for tts"


class Store:
    """A cache that has some files of each repository."""

    def __init__(self, held):
        self._held = held

    def held(self, repo):
        return Held(names={path: Name(blob="", size=1) for path in self._held.get(repo, ())})


def models(monkeypatch, project, held, engine=None):
    @contextmanager
    def open_cache(*_, name, **__):
        assert name == "speech_huggingface"
        yield Store(held)

    monkeypatch.setattr(pull, "open_cache", open_cache)
    return start.models(start.read(COMPOSE), project, project.read_settings(), engine or compose_engine())


def test_models_that_are_there(monkeypatch, project):
    wanted = pull.needed(project.read_services(()))
    held: dict[str, list[str]] = {}
    for file in (*wanted.files, *(checkpoint.config for checkpoint in wanted.checkpoints)):
        held.setdefault(file.repo, []).append(file.path)
    for voices in wanted.voices:
        held.setdefault(voices.repo, []).append(voices.default)
    assert models(monkeypatch, project, held).state == "ok"
    (repo, *_) = held
    held[repo].pop()
    found = models(monkeypatch, project, held)
    assert (found.state, repo in found.detail) == ("note", True)
    place = ("--volume", "speech_huggingface", "--project", str(project.root))
    assert commands(found)[0][1:] == ("-m", "baker", "models", "pull", "stt", "tts", *place)


def test_a_volume_that_is_not_there_yet(monkeypatch, project):
    found = models(monkeypatch, project, {}, compose_engine(commands={"volume ls": "other\n"}))
    assert found.state == "note"
    create, fetch = commands(found)
    assert create == (
        "docker",
        "volume",
        "create",
        "--label=com.docker.compose.project=speech",
        "--label=com.docker.compose.volume=huggingface",
        "speech_huggingface",
    )
    assert fetch[1:5] == ("-m", "baker", "models", "pull")


def test_no_room_for_models(monkeypatch, project, tmp_path):
    monkeypatch.setattr(disk, "free", lambda _: 5 * GB)
    info = {**HERE, "root": str(tmp_path)}
    found = models(monkeypatch, project, {}, compose_engine(info=info))
    assert (found.state, found.fix) == ("missing", None)
    assert "5 GB are free" in found.detail


def test_a_volume_that_cannot_be_looked_into(monkeypatch, project):
    def refuse(*_, **__):
        raise EngineError("no image is here")

    monkeypatch.setattr(pull, "open_cache", refuse)
    found = start.models(start.read(COMPOSE), project, project.read_settings(), compose_engine())
    assert found.detail == "not looked at: no image is here"
