"""The command line: help that teaches, one line for an error, an exit code by its kind."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from baker import cli, engine, errors, pipeline, plan, planner, prepare, project, render

COMMANDS = (
    "build",
    "deploy",
    "doctor",
    "init",
    "lock",
    "plan",
    "promote",
    "publish",
    "render",
    "rollback",
    "sbom",
    "verify",
)
runner = CliRunner()


@pytest.fixture(autouse=True)
def no_git(monkeypatch):
    monkeypatch.setattr(prepare, "revision", lambda _: "")


def run(monkeypatch, capsys, *argv):
    monkeypatch.setattr(sys, "argv", ["baker", *argv])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = runner.invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert f"baker {command}" in result.output


def test_version():
    assert runner.invoke(cli.app, ["--version"]).output.startswith("baker 0.")


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["render", "sst"], 2, "did you mean 'stt'"),
        (["render", "--base", "debain"], 2, "did you mean 'debian'"),
        (["render", "--compute-cap", "ampere"], 2, "no compute capability"),
        (["build", "--variant", "fat"], 2, "--variant"),
        (["build", "--platform", "linux/amd64,linux/arm64"], 2, "nothing can be built for linux/arm64 yet"),
        (["deploy"], 2, "--swarm"),
        (["deploy", "--swarm", "--replicas", "stt=many"], 2, "stt=2,tts=1"),
    ],
)
def test_wrong_words(monkeypatch, capsys, argv, code, message):
    found, output = run(monkeypatch, capsys, *argv)
    assert (found, output.out) == (code, "")
    assert message in output.err
    assert len(output.err.strip().splitlines()) == 1


def test_each_kind_of_failure_has_a_code_of_its_own():
    kinds = (errors.UsageError, errors.LockError, errors.EngineError, errors.NetworkError, errors.BuildError)
    assert [kind.exit_code for kind in (*kinds, errors.VerifyError)] == [2, 3, 4, 5, 6, 7]


def test_render_writes_a_whole_context(tmp_path):
    out = tmp_path / "out"
    result = runner.invoke(cli.app, ["render", "--base", "debian", "--output", str(out)])
    assert result.exit_code == 0, result.output
    text = (out / "Dockerfile").read_text()
    for line in text.splitlines():
        for word in line.split():
            if word.startswith("--mount=type=bind,source="):
                assert (out / word.split("source=")[1].split(",")[0]).exists(), word
    assert (out / "scripts/with-ca").stat().st_mode & 0o111


def test_init_lays_out_a_project_that_renders(tmp_path):
    folder = tmp_path / "speech"
    assert runner.invoke(cli.app, ["init", str(folder)]).exit_code == 0
    found = project.find(folder)
    assert (found.root, found.builtin, found.names()) == (folder, False, ("stt", "tts"))
    assert (
        runner.invoke(cli.app, ["render", "-C", str(folder), "--base", "debian", "-o", str(tmp_path / "o")]).exit_code
        == 0
    )


def test_init_overwrites_nothing(monkeypatch, capsys, tmp_path):
    (tmp_path / "mine").write_text("x")
    code, output = run(monkeypatch, capsys, "init", str(tmp_path))
    assert code == 2
    assert "is not empty" in output.err


def test_a_third_service_needs_no_python(tmp_path):
    folder = tmp_path / "speech"
    runner.invoke(cli.app, ["init", str(folder)])
    (folder / "services" / "hello").mkdir()
    (folder / "services" / "hello" / "service.toml").write_text('[crate]\nname = "runiq"\n')
    lock = folder / "baker.lock"
    lock.write_text(lock.read_text() + '[crates.runiq]\nversion = "2.0.0"\nsha256 = "00"\n')
    result = runner.invoke(
        cli.app, ["render", "hello", "-C", str(folder), "--base", "debian", "-o", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert "AS binary-runiq-cpu" in text
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "/opt/baker/bin/runiq-cpu"]' in text


def test_a_crlf_checkout_builds_the_same(tmp_path):
    (tmp_path / "script").write_bytes(b"#!/bin/sh\r\necho x\r\n")
    (tmp_path / "binary").write_bytes(b"\0\r\n")
    found = {file.path: file for file in render._copied(tmp_path, "s")}
    assert found["s/script"].content == b"#!/bin/sh\necho x\n"
    assert found["s/script"].mode == 0o755
    assert found["s/binary"].content == b"\0\r\n"


def test_what_a_context_no_longer_holds_is_removed_and_the_rest_stays(tmp_path):
    first = render.Rendered(path="a/b", content=b"1", mode=0o644)
    render.write((first,), tmp_path)
    (tmp_path / "mine").write_text("x")
    render.write((render.Rendered(path="c", content=b"2", mode=0o644),), tmp_path)
    assert not (tmp_path / "a/b").exists()
    assert (tmp_path / "c").read_bytes() == b"2"
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize(("free", "said"), [(2, "error"), (20, "note: 20 GB are free"), (100, "")])
def test_a_disk_that_is_full_small_or_large(monkeypatch, capsys, tmp_path, free, said):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free * 10**9))
    console = Console()
    here = engine.Engine(id="x", version="26.1.5", containerd_store=True, root=str(tmp_path), local=True)
    # That of another machine's engine is not this one's.
    pipeline.check_disk(replace(here, local=False), console)
    assert capsys.readouterr().out == ""
    if said == "error":
        with pytest.raises(errors.EngineError, match=r"only 2.0 GB are free under .*docker system df"):
            pipeline.check_disk(here, console)
    else:
        pipeline.check_disk(here, console)
        assert said in capsys.readouterr().out.replace("\n", " ")


def test_a_crate_that_is_not_pinned(tmp_path):
    found = project.find(tmp_path)
    (tmp_path / "services" / "hello").mkdir(parents=True)
    (tmp_path / "services" / "hello" / "service.toml").write_text('[crate]\nname = "new"\n')
    choice = plan.Choice(base="debian", accel="cpu", capabilities=(80,), root="r", link=True, variant="slim")
    services = project.Project(root=tmp_path, state=tmp_path, builtin=False).services(())
    with pytest.raises(errors.LockError, match="no version of the crate new: run `baker lock`"):
        planner.make(services, found.pins(), found.settings().mirrors, choice, tmp_path / "services")
