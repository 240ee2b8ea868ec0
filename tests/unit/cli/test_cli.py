"""The command line: help that teaches, one line for an error, an exit code by its kind."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from baker import cli, errors
from baker.build import prepare, revision
from baker.config import project
from baker.dockerfile import planner
from tests.unit import choices

COMMANDS = (
    "build",
    "deploy",
    "doctor",
    "fit",
    "init",
    "lock",
    "plan",
    "promote",
    "publish",
    "render",
    "report",
    "rollback",
    "sbom",
    "smoke",
    "try stt",
    "try tts",
    "verify",
)
runner = CliRunner()


@pytest.fixture(autouse=True)
def no_git(monkeypatch):
    monkeypatch.setattr(prepare, "revision", lambda _folder, _environment: revision.UNKNOWN)


def run(monkeypatch, capsys, *argv):
    monkeypatch.setattr(sys, "argv", ["baker", *argv])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = runner.invoke(cli.app, [*command.split(), "--help"])
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
        (["build", "--platform", "linux/amd64,linux/arm"], 2, "nothing can be built for 'linux/arm'"),
        (["deploy"], 2, "--swarm"),
        (["deploy", "--swarm", "--replicas", "stt=many"], 2, "stt=2,tts=1"),
        (["deploy", "--swarm", "--replicas", "stt=²"], 2, "stt=2,tts=1"),
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
    lock.write_text(lock.read_text() + '[crates.runiq]\nversion = "2.0.0"\nsha256 = "' + "0" * 64 + '"\n')
    result = runner.invoke(
        cli.app, ["render", "hello", "-C", str(folder), "--base", "debian", "-o", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert "AS binary-runiq-cpu" in text
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "/opt/baker/bin/runiq-cpu"]' in text


def test_a_crate_that_is_not_pinned(tmp_path):
    found = project.find(tmp_path)
    (tmp_path / "services" / "hello").mkdir(parents=True)
    (tmp_path / "services" / "hello" / "service.toml").write_text('[crate]\nname = "new"\n')
    choice = choices.choice(accel="cpu")
    services = replace(found, root=tmp_path, services_folder=tmp_path / "services").read_services(())
    with pytest.raises(errors.LockError, match="no version of the crate new: run `baker lock`"):
        planner.make(services, found.read_pins(), found.read_settings().mirrors, choice, tmp_path / "services")


@pytest.mark.parametrize("place", [".", "services", "services/stt/configs"])
def test_render_never_writes_into_the_project(monkeypatch, capsys, tmp_path, place):
    folder = tmp_path / "speech"
    runner.invoke(cli.app, ["init", str(folder)])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    code, output = run(monkeypatch, capsys, "render", "-C", str(folder), "--base", "debian", "-o", str(folder / place))
    assert code == 2
    assert "name another folder" in output.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
