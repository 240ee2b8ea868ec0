"""Cards, and whether a container sees them."""

from __future__ import annotations

from baker.build import hostcards
from baker.doctor import cards
from baker.engine import containers
from baker.engine.interface import LocalImage
from baker.errors import CommandError, EngineError
from tests.unit.doctor.findings import by_name
from tests.unit.fakes import FakeEngine

STT = LocalImage(id="sha256:1", tags=("baker/stt:latest",), size=1, labels={}, layers=(), config={})
CARD = hostcards.Card(name="NVIDIA L4", capability=89, driver="570.86.15", memory=23034, platform="linux/amd64")


def test_no_card(monkeypatch):
    def refuse(_):
        raise CommandError(("nvidia-smi",), 127, "no such file")

    monkeypatch.setattr(hostcards, "here", refuse)
    (found,) = cards.look(FakeEngine(), None, ())
    assert (found.state, found.name) == ("note", "card")


def test_a_container_sees_the_card(monkeypatch):
    asked = []

    def run_once(_engine, image, command, **options):
        asked.append((image, command, options))
        return "GPU 0: NVIDIA L4 (UUID: x)\n"

    monkeypatch.setattr(hostcards, "here", lambda _: (CARD,))
    monkeypatch.setattr(containers, "run_once", run_once)
    engine = FakeEngine(images={"baker/stt:latest": STT})
    found = by_name(cards.look(engine, None, ("baker/tts:latest", "baker/stt:latest")))
    assert found["container toolkit"].detail == "a container sees 1 of the cards"
    ((image, command, options),) = asked
    assert (image, command, options["entrypoint"]) == ("baker/stt:latest", ["--list-gpus"], "nvidia-smi")
    assert options["device_requests"][0]["Capabilities"] == [["gpu"]]


def test_no_container_sees_the_card(monkeypatch):
    def run_once(*_, **__):
        raise EngineError('could not select device driver "" with capabilities: [[gpu]]')

    monkeypatch.setattr(containers, "run_once", run_once)
    found = cards.toolkit(FakeEngine(images={"baker/stt:latest": STT}), ("baker/stt:latest",))
    assert found.state == "missing"
    assert "could not select device driver" in found.detail
    assert cards.toolkit(FakeEngine(), ("baker/stt:latest",)).state == "note", "no image to try it with"
