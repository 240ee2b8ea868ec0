"""However a command fails, it says so in one line, and its exit code tells the kind."""

from __future__ import annotations

import errno
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from baker import cli
from baker.build import prepare
from baker.build.revision import UNKNOWN
from baker.cli import boundary, context
from baker.config import scaffold
from baker.doctor import examine
from baker.errors import LockError
from baker.publish import workflow
from tests.unit.fakes import FakeEngine


@pytest.fixture(autouse=True)
def no_git(monkeypatch):
    monkeypatch.setattr(prepare, "revision", lambda _folder, _environment: UNKNOWN)


def ended(capsys, error):
    with pytest.raises(SystemExit) as end, boundary.failures_told():
        raise error
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    return end.value.code, said


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (LockError("no pin"), 3, "no pin"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 4, "no space left on /x: `docker system df`"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "missing/out"), 2, "missing/out: there is no"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/tmp"), 2, "/tmp: it is a folder"),
        (OSError(errno.EROFS, "Read-only file system", "/ro/x"), 2, "/ro/x: it lies on a read-only file system"),
        (OSError(errno.EIO, "Input/output error"), 4, "the system: Input/output error"),
    ],
)
def test_what_people_and_systems_cause(capsys, error, code, says):
    found, said = ended(capsys, error)
    assert found == code
    assert says in said
    assert len(said.splitlines()) == 1


def test_what_is_left_is_a_bug_and_its_traceback_is_in_a_file(capsys):
    found, said = ended(capsys, ZeroDivisionError("oops"))
    assert found == boundary.BUG
    assert len(said.splitlines()) == 1
    kept = Path(said.split()[-1])
    assert "ZeroDivisionError: oops" in kept.read_text()
    assert "Traceback" in kept.read_text()
    kept.unlink()


@pytest.mark.parametrize(
    "argv",
    [
        ["render", "--base", "debian", "-o", "/dev/null"],
        ["render", "--base", "debian", "-o", "{file}/out"],
        ["init", "{file}"],
        ["init", "{file}/x"],
        ["bench", "--only", "nothing"],
        ["lock", "-C", "{file}"],
    ],
)
def test_odd_places(capsys, monkeypatch, tmp_path, argv):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("sys.argv", ["baker", *(word.format(file=tmp_path / "file") for word in argv)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code in range(2, 8), said
    assert "Traceback" not in said
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("output", ["missing/stt.json", "file/stt.json", "."])
def test_a_bill_of_materials_that_cannot_be_written(capsys, monkeypatch, tmp_path, output):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr(workflow, "bill", lambda *_: "{}")
    monkeypatch.setattr(context, "engine", FakeEngine)
    argv = ["baker", "sbom", "stt", "--base", "debian", "--output", str(tmp_path / output)]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert said[-1].startswith(f"error: {tmp_path}")


def test_ctrl_c_ends_every_command_with_its_own_code(capsys, monkeypatch, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(scaffold, "lay_out", stop)
    monkeypatch.setattr("sys.argv", ["baker", "init", str(tmp_path / "x")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert (end.value.code, capsys.readouterr().err) == (130, "error: interrupted\n")


def chatty():
    """Do what libraries do: warn, and log with a handler of their own and without one."""
    warnings.warn("a value that is deprecated", UserWarning, stacklevel=1)
    logging.getLogger("other").warning("a retry")
    library = logging.getLogger("library")
    library.addHandler(logging.StreamHandler())
    library.error("a connection was lost")
    return ()


@pytest.fixture
def talk(monkeypatch, tmp_path):
    """Give back what a library printed under a command, with what Python was told of warnings."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(capsys, *options):
        monkeypatch.setattr(examine, "examine", lambda *_: chatty())
        monkeypatch.setattr(sys, "argv", ["baker", "doctor"])
        monkeypatch.setattr(sys, "warnoptions", list(options))
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, capsys.readouterr().err

    yield run
    logging.disable(logging.NOTSET)
    logging.getLogger("library").handlers.clear()


def test_no_warning_of_a_library_reaches_a_user(talk, capsys):
    assert talk(capsys) == (0, "")


def test_a_test_can_have_warnings_as_errors(talk, capsys):
    """As the tests with an engine do, of every command: else there was nothing to hide."""
    code, said = talk(capsys, "error")
    assert code == boundary.BUG
    assert "a value that is deprecated" in said
