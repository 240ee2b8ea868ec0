"""What is installed from the wheel and from the sdist works as the checkout does, from any folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from baker import __version__
from tests.docker import publishing
from tests.docker.project import SAID, Project, lay_out

TOP = Path(__file__).parents[2]


def run(*argv: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **environment}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of each file below a folder."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*") if not path.is_dir()
    }


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A folder with the wheel and the sdist, of what git knows or would take."""
    checkout, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=TOP)
    for name in filter(None, listed.split("\0")):
        if (TOP / name).is_file() or (TOP / name).is_symlink():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, checkout / name, follow_symlinks=False)
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=checkout)
    return folder


@pytest.fixture(
    params=[pytest.param("*.whl", id="wheel"), pytest.param("*.tar.gz", id="sdist", marks=pytest.mark.nightly)]
)
def installed(request, packed, tmp_path):
    """An environment with nothing but the package and what it needs, as pip lays it out; nobody may write there."""
    (package,) = packed.glob(request.param)
    root = tmp_path / "environment"
    venv.create(root, with_pip=True)
    run(root / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package, cwd=tmp_path)
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    # What is in the package's folders, pip has compiled: scripts among the data too.
    assert list(root.glob("lib/python3*/site-packages/baker/dockerfile/templates/verify/__pycache__/*.pyc"))
    return root


def test_an_installed_package_does_all_that_the_checkout_does(installed, tmp_path, engine, debian_root, registry, keys):
    assert debian_root
    program = (str(installed / "bin/baker"),)
    before = files(installed)
    project = Project(tmp_path / "speech", program)
    run(*program, "init", project.root, cwd=tmp_path)
    laid = [path for path in project.root.rglob("*") if not path.is_symlink()]
    assert all(path.stat().st_mode & stat.S_IWUSR for path in laid), "what init lays out is there to be edited"
    assert not [path for path in laid if path.name == "__pycache__"]

    def baker(*argv: str) -> str:
        done = project.baker(*argv, PYTHONPATH="", **publishing.PASSWORD)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    assert set(json.loads(baker("plan", "--json", "--base=debian"))[0]) >= {"state"}
    shutil.rmtree(project.root / "services")
    lay_out(project)
    for name in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / name, project.root)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    # The services that init laid out are gone, and so are their pins.
    baker("lock")
    baker("lock", "--check")
    assert {item["state"] for item in json.loads(baker("plan", "--json"))} <= {"build", "cached"}
    baker("build", "hello")
    assert engine.containers.run(project.image, ["--version"], remove=True).decode().strip() == SAID
    assert "nothing has changed" in baker("build", "hello")
    baker("verify", "hello")
    (told,) = json.loads(baker("publish", "hello", "--dry-run", "--json", "--registry", f"{registry}/baker-test/dry"))
    assert told["tags"]
    assert files(installed) == before, "nothing is written into the installation"
    assert os.access(project.root, os.W_OK)


@pytest.fixture
def wheel(packed):
    (found,) = packed.glob("*.whl")
    return found


def test_uvx_runs_it_from_the_wheel(wheel, tmp_path):
    uvx = Path(sys.executable).with_name("uvx")
    # Only what it needs is looked up in an index: the wheel itself is a file.
    said = run(uvx, "--isolated", "--from", wheel, "moshi-baker", "init", "speech", cwd=tmp_path)
    assert "wrote speech/services" in said
    assert (tmp_path / "speech" / "services" / "stt" / "service.toml").is_file()


def test_uv_installs_it_as_a_tool_with_its_manual_page(wheel, tmp_path):
    uv = Path(sys.executable).with_name("uv")
    run(uv, "tool", "install", wheel, cwd=tmp_path, UV_TOOL_DIR=f"{tmp_path}/tools", UV_TOOL_BIN_DIR=f"{tmp_path}/bin")
    assert run(tmp_path / "bin/baker", "--version", cwd=tmp_path) == f"baker {__version__}\n"
    share = tmp_path / "tools/moshi-baker/share"
    assert {path.relative_to(share).as_posix() for path in share.rglob("*") if path.is_file()} >= {
        "man/man1/baker.1",
        "bash-completion/completions/baker",
        "zsh/site-functions/_baker",
        "fish/vendor_completions.d/baker.fish",
    }
