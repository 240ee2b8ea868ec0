"""A crate of one's own: patches, a lock, a commit and a folder, built with a small crate."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from functools import partial

import pytest

from tests.docker import crates
from tests.docker import greeter as greeters
from tests.docker.project import failure, tagged

TEXT = "from the index"
MAIN = 'fn main() { println!("{}", baker_greeting::TEXT) }'
PATCH = "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1 +1 @@\n-{}\n+{}\n"
FIRST = MAIN.replace("{}", "first {}")
SECOND = MAIN.replace("{}", "second {}")
IDENTITY = {
    f"GIT_{who}_{what}": f"{who.lower()}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@pytest.fixture(scope="module")
def index(engine, tmp_path_factory):
    with greeters.serve(engine, tmp_path_factory.mktemp("index")) as served:
        served.publish(TEXT)
        yield served


@pytest.fixture
def greeter(make_project, index):
    """A project whose service bakes the greeter, by lines of its [crate]."""
    project = make_project()
    toml = (project.root / "baker.toml").read_text()
    project.write("baker.toml", f'{toml}[mirrors]\ncrates = "{index.url}"\n')
    pin = f'\n[crates.{greeters.NAME}]\nversion = "1.0.0"\nsha256 = "{greeters.saying(TEXT).sha256}"\n'
    project.write("baker.lock", (project.root / "baker.lock").read_text() + pin)
    return project


def bakes(project, crate: str) -> None:
    project.write("services/hello/service.toml", f'[crate]\nname = "{greeters.NAME}"\n{crate}')


def build(project) -> None:
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr


def says(engine, project) -> str:
    return engine.containers.run(project.image, remove=True).decode().strip()


def test_patches_are_applied_in_order_and_everything_says_so(greeter, engine):
    greeter.write("services/hello/one.patch", PATCH.format(MAIN, FIRST))
    greeter.write("services/hello/two.patch", PATCH.format(FIRST, SECOND))
    bakes(greeter, 'patches = ["one.patch", "two.patch"]\n')
    build(greeter)
    assert says(engine, greeter) == f"second {TEXT}"
    (version,) = {tag.rpartition(":")[2] for tag in tagged(engine, greeter)} - {"latest"}
    assert version.startswith("1.0.0-p")
    labels = engine.images.get(greeter.image).labels
    assert labels["org.opencontainers.image.version"] == version.removesuffix("-cpu")
    patches = labels["dev.baker.crate.patches"]
    assert [part.split()[0] for part in patches.split(", ")] == [f"services/hello/{n}.patch" for n in ("one", "two")]
    receipt = json.loads((greeter.root / ".baker/receipts/hello.json").read_text())
    assert receipt["own"]["dev.baker.crate.patches"] == patches
    bill = greeter.baker("sbom", "hello")
    assert bill.returncode == 0, bill.stderr
    properties = json.loads(bill.stdout)["metadata"]["component"]["properties"]
    assert {"name": "dev.baker.crate.patches", "value": patches} in properties
    planned = greeter.baker("plan", "hello")
    assert f"crate-{greeters.NAME}" in planned.stdout


def test_a_patch_that_does_not_apply(greeter, engine):
    greeter.write("services/hello/one.patch", PATCH.format(MAIN, FIRST))
    greeter.write("services/hello/two.patch", PATCH.format(MAIN, SECOND))
    bakes(greeter, 'patches = ["one.patch", "two.patch"]\n')
    said = failure(greeter.build(), 6)
    assert f"the patch 002-two.patch does not apply to {greeters.NAME} 1.0.0-p" in said
    assert tagged(engine, greeter) == []


def git(folder, *argv: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *argv], env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_commit_with_a_workspace_and_a_lock_of_the_projects_own(greeter, engine, tmp_path):
    """The server knows no fetching of one commit: it serves files."""
    repository, word = tmp_path / "repository", uuid.uuid4().hex
    package = repository / "rust/greeter"
    (package / "src").mkdir(parents=True)
    (repository / "rust/Cargo.toml").write_text(
        '[workspace]\nmembers = ["greeter"]\n[workspace.package]\nversion = "7.8.9"\n'
    )
    (package / "Cargo.toml").write_text(
        f'[package]\nname = "{greeters.NAME}"\nversion = {{ workspace = true }}\nedition = "2021"\n'
    )
    (package / "src/main.rs").write_text(f'fn main() {{ println!("{word}") }}\n')
    git(tmp_path, "init", "--quiet", str(repository))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "x")
    git(repository, "update-server-info")
    commit = git(repository, "rev-parse", "HEAD")
    greeter.write("services/hello/my.lock", f'version = 3\n[[package]]\nname = "{greeters.NAME}"\nversion = "7.8.9"\n')
    with crates.served(engine, partial(crates.Quiet, directory=str(repository))) as url:
        source = f'git = "{url}/.git"\ncommit = "{commit}"\nfolder = "rust/greeter"\nlock = "my.lock"\n'
        bakes(greeter, source)
        assert "run `baker lock`" in failure(greeter.build(), 3)
        locked = greeter.baker("lock")
        assert f"crate {greeters.NAME} 1.0.0 → 7.8.9" in locked.stdout, locked.stdout + locked.stderr
        build(greeter)
        assert says(engine, greeter) == word
        assert engine.images.get(greeter.image).labels["dev.baker.crate.source"] == f"{url}/.git {commit}"
        bakes(greeter, source.replace(commit, "0" * 40))
        assert f"has no commit {'0' * 40}" in failure(greeter.baker("lock"), 3)


def test_a_folder(greeter, engine):
    word = uuid.uuid4().hex
    greeter.write("services/hello/mine/Cargo.toml", f'[package]\nname = "{greeters.NAME}"\nversion = "0.1.0"\n')
    greeter.write(
        "services/hello/mine/Cargo.lock", f'version = 3\n[[package]]\nname = "{greeters.NAME}"\nversion = "0.1.0"\n'
    )
    greeter.write("services/hello/mine/src/main.rs", f'fn main() {{ println!("{word}") }}\n')
    bakes(greeter, 'path = "mine"\n')
    build(greeter)
    assert says(engine, greeter) == word
