"""Which server is tried: the one that runs, the one that is named, or one that is started."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from baker.engine.interface import LocalImage
from baker.errors import EngineError, UsageError
from baker.speech import wire
from baker.trial import models, server
from baker.trial.server import Wish
from tests.unit.fakes import HERE, FakeEngine

IMAGE = LocalImage(
    id="sha256:1",
    tags=("baker/stt:latest",),
    size=1,
    labels={"dev.baker.accel": "cuda"},
    layers=(),
    config={
        "Cmd": ["worker", "--config", "configs/stt.toml"],
        "Env": ["HF_HOME=/root/.cache/huggingface", "A=1=2"],
    },
)
WISH = Wish(
    service="stt",
    image="baker/stt:latest",
    path="/api/asr-streaming",
    query="",
    kind="BatchedAsr",
    key="public_token",
    at="",
    cpu=False,
    models="",
    synthetic=False,
    own=False,
    seconds=5,
)

EVERYWHERE = "0.0.0.0"  # noqa: S104 - as the engine says it


def container(name="stt", *, ports=((EVERYWHERE, "8090"),), address="172.17.0.2", labels=None):
    return {
        "Name": f"/{name}",
        "Config": {"Labels": labels},
        "NetworkSettings": {
            "Ports": {"8080/tcp": [{"HostIp": host, "HostPort": port} for host, port in ports] or None},
            "Networks": {"bridge": {"IPAddress": address}},
        },
    }


def engine_with(*found, **more):
    return FakeEngine(
        commands={
            "ps --quiet": "\n".join(item["Name"] for item in found),
            "container inspect": json.dumps(found),
            "info --format": "{}",
            "volume ls": "",
        },
        **more,
    )


@contextmanager
def opened(engine, wish):
    with server.opened(engine, wish, lambda _: None) as trial:
        yield trial


@pytest.mark.parametrize(
    ("found", "address"),
    [
        (container(), "127.0.0.1:8090"),
        (container(ports=(("192.0.2.7", "1"),)), "192.0.2.7:1"),
        (container(ports=()), "172.17.0.2:8080"),
    ],
)
def test_a_running_service_is_found(found, address):
    engine = engine_with(found, container("moment", labels={"dev.baker.container": "x"}))
    with opened(engine, WISH) as trial:
        assert (trial.name, trial.server.address, trial.ready) == ("stt", address, None)
    assert "label=dev.baker.service=stt" in engine.asked[0]


def test_several_of_them_have_to_be_told_apart():
    with pytest.raises(UsageError, match="--at, of a, b"), opened(engine_with(container("a"), container("b")), WISH):
        pass


def test_one_by_its_name_or_address():
    with opened(engine_with(container("mine")), replace(WISH, at="mine")) as trial:
        assert trial.server.address == "127.0.0.1:8090"
    with opened(FakeEngine(), replace(WISH, at="speech.example.com:80")) as trial:
        assert trial.server.url == "ws://speech.example.com:80/api/asr-streaming"


def test_a_name_that_nobody_has():
    with (
        pytest.raises(UsageError, match="--at stt: there is no such container"),
        opened(FakeEngine(), replace(WISH, at="stt")),
    ):
        pass


def test_one_that_runs_cannot_be_given_models():
    with (
        pytest.raises(UsageError, match="for one to start"),
        opened(FakeEngine(), replace(WISH, at="a:1", synthetic=True)),
    ):
        pass


def test_an_engine_elsewhere():
    engine = engine_with(container(), info={**HERE, "local": False})
    with pytest.raises(EngineError, match="--at HOST:PORT"), opened(engine, WISH):
        pass


def test_nothing_runs_and_nothing_can_be_started():
    with pytest.raises(EngineError, match="`baker build`"), opened(engine_with(), WISH):
        pass


class Starting(FakeEngine):
    """An engine that starts a container which runs, or has ended."""

    def __init__(self, *, status="running", commands=None):
        super().__init__(images={"baker/stt:latest": IMAGE}, commands=engine_with().commands | (commands or {}))
        self.status, self.created, self.removed = status, [], 0

    @contextmanager
    def container(self, reference, command, *, volume=None, **options):
        self.created.append((reference, command, {"volume": volume, **options}))
        yield SimpleNamespace(
            start=lambda: None,
            reload=lambda: None,
            status=self.status,
            logs=lambda: b"one\nno card\n",
            attrs=container(ports=(("127.0.0.1", "4000"),)),
        )
        self.removed += 1


@pytest.fixture
def ready(monkeypatch):
    async def look(_server, _seconds, check, *, query):
        assert query == WISH.query
        check()

    monkeypatch.setattr(wire, "until_ready", look)


@pytest.mark.usefixtures("ready")
def test_one_with_a_tiny_model_on_the_cpu():
    engine = Starting()
    with opened(engine, replace(WISH, synthetic=True)) as trial:
        assert (trial.server.address, trial.ready is not None) == ("127.0.0.1:4000", True)
    ((reference, command, options),) = engine.created
    assert (reference, command) == ("baker/stt:latest", ["worker", "--config", "/models/stt.toml", "--cpu"])
    assert options["volume"][0] == "/models"
    assert options["ports"] == {"8080/tcp": ("127.0.0.1", None)}
    assert "device_requests" not in options
    assert engine.removed == 1


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("cpu", [True, False])
def test_one_with_models_of_compose_and_with_a_card(cpu):
    engine = Starting(commands={"info --format": '{"nvidia": {}}', "volume ls": "baker_huggingface\n"})
    with opened(engine, replace(WISH, cpu=cpu)):
        pass
    ((_, command, options),) = engine.created
    assert options["volumes"] == {"baker_huggingface": {"bind": "/root/.cache/huggingface", "mode": "rw"}}
    assert ("device_requests" in options, "--cpu" in command) == (not cpu, cpu)
    assert "user" not in options


@pytest.mark.usefixtures("ready")
def test_one_that_ends_while_it_starts():
    with (
        pytest.raises(EngineError, match="ended while it started:\none\nno card"),
        opened(Starting(status="exited"), replace(WISH, synthetic=True)),
    ):
        pass


def test_models_of_a_folder(tmp_path):
    (tmp_path / "hub").mkdir()
    found = models.find(FakeEngine(), str(tmp_path), "/hf", {})
    assert (found.source, found.target) == (str(tmp_path / "hub"), "/hf/hub")
    owner = tmp_path.stat()
    assert found.options()["user"] == f"{owner.st_uid}:{owner.st_gid}"


def test_no_models(tmp_path):
    with pytest.raises(UsageError, match="baker models pull"):
        models.find(engine_with(), "", "/hf", {"HF_HOME": str(tmp_path)})


def test_several_volumes():
    engine = FakeEngine(commands={"volume ls": "a_huggingface\nb_huggingface\n"})
    with pytest.raises(UsageError, match="--models, of a_huggingface, b_huggingface"):
        models.find(engine, "", "/hf", {})
