"""Publishing: all services are pushed, signed and checked before the tag of any moves, and nothing is asked twice."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from baker.build import base, machine, pipeline, prepare, root_image
from baker.build.revision import UNKNOWN, Revision
from baker.buildkit import bake as bakes
from baker.cli.options import BuildOptions
from baker.config import pins
from baker.config.project import BUILTIN
from baker.dockerfile import planner, render
from baker.engine.interface import LocalImage
from baker.errors import NetworkError, VerifyError
from baker.publish import export, intents, tags, workflow
from baker.registry.manifest import Manifest
from baker.verify import verifier
from tests.unit.fakes import FakeEngine

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOME = "registry.example.com/speech"
COMMANDS = {"buildx version": "github.com/docker/buildx v0.13.1 x", "buildx inspect": "Driver: docker\n"}
LOCK = '[crates.{0}]\nversion = "1.0.0"\nsha256 = "{1}"\n'


class FakeRepository:
    """A repository whose tags are a table; `log` has what was done to it."""

    def __init__(self, name, content, log):
        self.name, self.content, self.log = name, content, log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def find(self, pointer):
        return self.content.get((self.name, pointer))

    def tag(self, manifest, tag):
        self.log.append(("tag", self.name, tag))
        self.content[(self.name, tag)] = manifest

    def put(self, content, media_type, pointer):
        self.log.append(("put", self.name, ""))
        self.content[(self.name, pointer)] = Manifest(digest=pointer, media_type=media_type, content=content)

    def size(self, _):
        return 10


@pytest.fixture
def project(tmp_path):
    """A project with two services."""
    lock = (BUILTIN / "baker.lock").read_text()
    for name in ("hello", "world"):
        (tmp_path / f"services/{name}").mkdir(parents=True)
        (tmp_path / f"services/{name}/service.toml").write_text(f'[crate]\nname = "{name}"\n')
        lock += LOCK.format(name, "0" * 64)
    (tmp_path / "baker.toml").write_text('[build]\naccel = "cpu"\n')
    (tmp_path / "baker.lock").write_text(lock)
    return tmp_path


@pytest.fixture
def built(monkeypatch, project):
    """The project, and an engine that builds it; what is read and asked is counted."""
    found = SimpleNamespace(project=project, counts=Counter(), engine=FakeEngine(commands=COMMANDS))

    def counted(module, name):
        real = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, **k: (found.counts.update([f"{module.__name__}.{name}"]), real(*a, **k))[1]
        )

    for module, name in ((planner, "make"), (render, "render"), (pins, "load")):
        counted(module, name)
    monkeypatch.setattr(prepare, "revision", lambda *_: (found.counts.update(["git"]), UNKNOWN)[1])
    monkeypatch.setattr(base, "missing", lambda _: lambda _: (found.counts.update(["registry"]), "none answers")[1])
    monkeypatch.setattr(root_image, "ensure", lambda *_: None)
    monkeypatch.setattr(verifier, "check_built", lambda *_, **__: ())

    def bake(argv, **_):
        for number, tag in enumerate(word.partition(".tags=")[2] for word in argv if ".tags=" in word):
            image = LocalImage(id=f"sha256:{number}", tags=(tag,), size=1, labels={}, layers=(), config={})
            found.engine.images[tag] = image

    monkeypatch.setattr(bakes, "bake", bake)
    return found


@pytest.fixture
def world(monkeypatch, built):
    """The same with a registry and a signer, which keep what is done."""
    found = built
    found.log, found.content, found.fails = [], {}, ""
    monkeypatch.setattr(export, "written", contextmanager(lambda *_: iter([found.project])))
    monkeypatch.setattr(export, "config", lambda _: {})
    monkeypatch.setattr(export, "same", lambda *_: True)
    monkeypatch.setattr(workflow, "_listed", lambda *_: "{}")

    class Pusher:
        def __init__(self, *_):
            pass

        def push(self, repository, _folder, _near):
            found.log.append(("push", repository.name, ""))
            number = len(found.content)
            manifest = Manifest(digest=f"sha256:{repository.name}{number}", media_type="x", content=b"{}")
            found.content[(repository.name, manifest.digest)] = manifest
            return SimpleNamespace(manifest=manifest, sent=5)

    class Signer:
        def __init__(self, **_):
            pass

        def attest(self, reference, _kind, _path):
            found.log.append(("attest", reference, ""))

        def sign(self, reference):
            if found.fails and found.fails in reference:
                raise NetworkError("the registry cannot be reached")
            found.log.append(("sign", reference, ""))

    def check(repository, _manifest, _signer):
        found.log.append(("check", repository.name, ""))
        return True

    monkeypatch.setattr(workflow, "Pusher", Pusher)
    monkeypatch.setattr(workflow, "Signer", Signer)
    monkeypatch.setattr(tags, "check", check)
    found.registries = SimpleNamespace(repository=lambda name: FakeRepository(str(name), found.content, found.log))
    return found


def publish(world, *platforms, release=False):
    said = io.StringIO()
    console = Console(file=said, width=200)
    request, engine = BuildOptions(project=world.project, platform=platforms).request(), world.engine
    here = machine.probe(engine, ())
    wanted = [prepare.prepare(each, here, engine.environment, console.print) for each in request.each()]
    aims = intents.intend(wanted[0], HOME, world.registries, release=release)
    parts = [
        workflow.Part(prepared=each, receipts=pipeline.build_missing(each, here, engine, console)) for each in wanted
    ]
    done = workflow.publish(parts, aims, here, engine, registries=world.registries, console=console, now=NOW)
    return done, said.getvalue()


def test_everything_is_asked_once(world):
    _, said = publish(world)
    asked = {"baker.dockerfile.planner.make", "baker.dockerfile.render.render", "baker.config.pins.load"}
    assert dict(world.counts) == dict.fromkeys((*asked, "git", "registry"), 1)
    assert (world.engine.counts["buildx version"], world.engine.counts["buildx inspect"]) == (1, 1)
    assert said.count("base debian") == 1


def test_tags_move_when_all_are_pushed_signed_and_checked(world):
    done, _ = publish(world, release=True)
    kinds = [kind for kind, _, _ in world.log]
    assert kinds.count("push") == kinds.count("sign") == kinds.count("check") == 2
    assert kinds.index("tag") > max(at for at, kind in enumerate(kinds) if kind != "tag")
    assert [item.sent for item in done] == [5, 5]
    assert {name for _, name in world.content if not name.startswith("sha256:")} == {"1.0.0-cpu", "latest"}


def test_two_platforms_become_one_index_that_is_signed_once(world):
    world.engine.commands["buildx inspect"] += "Platforms: linux/amd64, linux/arm64\n"
    done, _ = publish(world, "linux/amd64,linux/arm64", release=True)
    hello = [kind for kind, name, _ in world.log if name.split("@")[0] == f"{HOME}/hello"]
    assert hello == ["push", "push", "put", "attest", "attest", "sign", "check", "tag", "tag"]
    index = world.content[(f"{HOME}/hello", "latest")]
    assert [entry["platform"]["architecture"] for entry in index.json["manifests"]] == ["amd64", "arm64"]
    assert done[0].digest == index.digest
    assert done[0].sent == 10
    assert done[0].sbom.endswith("hello.cdx.json, " + str(world.project / ".baker/sbom/hello-arm64.cdx.json"))


def test_when_one_fails_no_tag_moves(world):
    world.fails = "/world"
    with pytest.raises(NetworkError):
        publish(world)
    assert ("push", f"{HOME}/hello", "") in world.log
    assert not [item for item in world.log if item[0] == "tag"]


@pytest.mark.parametrize("service", ["hello", "world"])
def test_a_tag_that_somebody_moved_meanwhile_stays_and_so_do_all_others(world, monkeypatch, service):
    real = pipeline.build_missing

    def meanwhile(*arguments):
        other = Manifest(digest="sha256:other", media_type="x", content=b"{}")
        world.content[(f"{HOME}/{service}", "1.0.0-cpu")] = other
        return real(*arguments)

    monkeypatch.setattr(pipeline, "build_missing", meanwhile)
    with pytest.raises(VerifyError, match="moved by someone else"):
        publish(world)
    assert world.content[(f"{HOME}/{service}", "1.0.0-cpu")].digest == "sha256:other"
    assert not [item for item in world.log if item[0] == "tag"]


def test_who_may_not_push_hears_it_before_the_build(world):
    class Closed(FakeRepository):
        def check_upload(self):
            raise NetworkError(f"{self.name}: the registry refuses")

    registries: Any = SimpleNamespace(repository=lambda name: Closed(name, world.content, world.log))
    aims = (intents.Intent(service="hello", repository=f"{HOME}/hello", tags={}),)
    with pytest.raises(NetworkError, match="speech/hello: the registry refuses"):
        intents.permit(aims, registries)


@pytest.mark.parametrize(("dirty", "has"), [(False, True), (True, False)])
def test_uncommitted_changes_give_no_commits_tag(world, monkeypatch, dirty, has):
    revision = Revision(commit="0123456789abcdef", dirty=dirty, source="")
    monkeypatch.setattr(prepare, "revision", lambda *_: revision)
    publish(world)
    assert any(tag == "git-0123456789ab-cpu" for _, tag in world.content) == has
    assert revision.label == ("0123456789abcdef" + ("-dirty" if dirty else ""))
