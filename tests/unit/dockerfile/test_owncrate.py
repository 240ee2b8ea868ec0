"""A crate of one's own: what it is called, what an image says of it, and what the Dockerfile does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baker.config import project, service
from baker.dockerfile import bakefile, labels, plan, planner, render, stages
from baker.errors import LockError, UsageError
from tests.unit import choices

if TYPE_CHECKING:
    from baker.config.project import Project

HERE = project.find(Path(__file__).parent)
SHA, COMMIT, URL = "ab" * 32, "c0ffee" + "0" * 34, "https://git.example.com/team/hello.git"
PIN = f'\n[crates.hello]\nversion = "1.2.3"\nsha256 = "{SHA}"\n'
GIT = f'git = "{URL}"\ncommit = "{COMMIT}"\n'
MANIFEST = '[package]\nname = "hello"\nversion = "0.3.0"\n'


@pytest.fixture
def speech(tmp_path) -> Project:
    (tmp_path / "baker.toml").write_text('[build]\nbase = "debian"\naccel = "cpu"\n')
    folder = tmp_path / "services/hi"
    folder.mkdir(parents=True)
    for name in ("first", "second"):
        (folder / f"{name}.patch").write_text(f"--- a/{name}\n+++ b/{name}\n")
    (folder / "other.lock").write_text('version = 3\n[[package]]\nname = "cudarc"\nversion = "0.19.0"\n')
    return project.find(tmp_path)


def planned(found: Project, crate: str, pin: str = PIN) -> plan.Plan:
    (found.root / "services/hi/service.toml").write_text(f'[crate]\nname = "hello"\n{crate}')
    (found.root / "baker.lock").write_text((HERE.root / "baker.lock").read_text() + pin)
    choice = choices.choice(accel="cpu")
    services, pins = found.read_services(()), found.read_pins()
    return planner.make(services, pins, found.read_settings().mirrors, choice, found.services_folder)


def tag(made: plan.Plan, found: Project) -> str:
    return bakefile.tags(made, found.read_settings(), "hi")[1]


def said(made: plan.Plan) -> dict[str, str]:
    return {name: value for name, value in made.services[0].labels if name in (*labels.OWN, labels.VERSION)}


def test_a_release_as_it_is_has_the_plain_tag_and_says_nothing_more(speech):
    made = planned(speech, "")
    assert tag(made, speech) == "1.2.3-cpu"
    assert said(made) == {labels.VERSION: "1.2.3"}


CHANGES = {
    "a patch": 'patches = ["first.patch"]',
    "two": 'patches = ["first.patch", "second.patch"]',
    "the other order": 'patches = ["second.patch", "first.patch"]',
    "a lock": 'lock = "other.lock"',
    "both": 'lock = "other.lock"\npatches = ["first.patch"]',
}


def test_no_change_has_the_tag_of_another_or_the_plain_one(speech):
    tags = {what: tag(planned(speech, change), speech) for what, change in CHANGES.items()}
    assert len({*tags.values(), "1.2.3-cpu"}) == 1 + len(CHANGES), tags
    assert all(found.startswith(("1.2.3-p", "1.2.3-l")) for found in tags.values())
    caches = {planned(speech, change).binaries[0].cache for change in ("", *CHANGES.values())}
    assert len(caches) == 1 + len(CHANGES), "no compile takes the units of another source"


def test_another_content_of_a_patch_is_another_version(speech):
    before = tag(planned(speech, CHANGES["a patch"]), speech)
    (speech.root / "services/hi/first.patch").write_text("--- a/x\n+++ b/x\n")
    assert tag(planned(speech, CHANGES["a patch"]), speech) != before


def test_labels_name_source_lock_and_patches(speech):
    found = said(planned(speech, CHANGES["both"]))
    assert found[labels.CRATE_SOURCE] == "crates.io 1.2.3"
    assert found[labels.CRATE_LOCK].startswith("services/hi/other.lock sha256:")
    assert found[labels.CRATE_PATCHES].startswith("services/hi/first.patch sha256:")
    assert found[labels.VERSION].startswith("1.2.3-p")


def fetching(made: plan.Plan) -> str:
    text = next(file for file in render.render(made) if file.path == "Dockerfile").content.decode()
    return text.split(" AS crate-hello\n")[1].split("\nFROM ", maxsplit=1)[0]


def test_patches_are_mounted_in_their_order_and_the_lock_too(speech):
    body = fetching(planned(speech, 'lock = "other.lock"\npatches = ["second.patch", "first.patch"]'))
    assert "source=services/hi/second.patch,target=/own/patches/001-second.patch" in body
    assert "source=services/hi/first.patch,target=/own/patches/002-first.patch" in body
    assert "source=services/hi/other.lock,target=/own/Cargo.lock" in body
    assert f"crates.io 1.2.3 {SHA}" in body
    assert "/run/install-packages patch\n" in body


def test_a_plan_sees_that_a_patch_has_changed(speech):
    def inputs() -> dict[str, str]:
        made = planned(speech, CHANGES["both"])
        found = stages.read(render.render(made), made.versions)
        return dict(next(stage for stage in found if stage.name == "crate-hello").inputs)

    before = inputs()
    (speech.root / "services/hi/first.patch").write_text("--- a/x\n+++ b/x\n")
    after = inputs()
    assert {key for key in before if before[key] != after[key]} == {"services/hi/first.patch", "crate hello"}


def test_a_commit(speech):
    pin = PIN + f'git = "{URL}"\ncommit = "{COMMIT}"\n'
    made = planned(speech, GIT + 'folder = "rust/hello"', pin)
    assert tag(made, speech) == f"1.2.3-g{COMMIT[:10]}-cpu"
    body = fetching(made)
    assert f"rust/hello /crate /archives /var/cache/crates git {URL} {COMMIT} {SHA}" in body
    assert "/run/install-packages git\n" in body
    assert made.crates[0].path == f"hello-1.2.3-g{COMMIT[:10]}/rust/hello"


@pytest.mark.parametrize(
    ("crate", "pin", "message"),
    [
        (
            GIT,
            PIN,
            f"wants commit {COMMIT} of {URL} of the crate hello, baker.lock has version 1.2.3: run `baker lock`",
        ),
        ("", PIN + GIT, f"wants version 1.2.3 of the crate hello, baker.lock has commit {COMMIT} of {URL}"),
        ('version = "1.2.4"', PIN, "wants version 1.2.4 of the crate hello, baker.lock has version 1.2.3"),
        ("", "", "no version of the crate hello: run `baker lock`"),
    ],
)
def test_a_pin_of_another_crate(speech, crate, pin, message):
    with pytest.raises(LockError, match=message):
        planned(speech, crate, pin)


def folder(found: Project, manifest: str = MANIFEST) -> Path:
    path = found.root / "services/hi/mine"
    shutil.rmtree(path, ignore_errors=True)
    (path / "src").mkdir(parents=True)
    (path / "Cargo.toml").write_text(manifest)
    (path / "src/main.rs").write_text("fn main() {}\n")
    return path


def test_a_folder_needs_no_pin_and_its_content_is_in_the_version(speech):
    path = folder(speech)
    made = planned(speech, 'path = "mine"', "")
    first = tag(made, speech)
    assert first.startswith("0.3.0-d")
    assert "source=services/hi/mine,target=/own/source" in fetching(made)
    assert said(made)[labels.CRATE_SOURCE] == "services/hi/mine"
    (path / "src/main.rs").write_text("fn main() { todo!() }\n")
    assert tag(planned(speech, 'path = "mine"', ""), speech) != first


def test_a_workspace_says_the_version(speech):
    path = folder(speech, '[workspace]\nmembers = ["a/b"]\n[workspace.package]\nversion = "4.5.6"\n')
    (path / "a/b").mkdir(parents=True)
    (path / "a/b/Cargo.toml").write_text('[package]\nname = "hello"\nversion = { workspace = true }\n')
    assert tag(planned(speech, 'path = "mine"\nfolder = "a/b"', ""), speech).startswith("4.5.6-d")
    with pytest.raises(UsageError, match=r"no Cargo\.toml in c;"):
        planned(speech, 'path = "mine"\nfolder = "c"', "")


def test_a_folder_outside_of_the_services(speech):
    outside = speech.root / "elsewhere"
    shutil.copytree(folder(speech), outside)
    with pytest.raises(UsageError, match="elsewhere"):
        planned(speech, 'path = "../../elsewhere"', "")


@pytest.mark.parametrize(
    ("crate", "message"),
    [
        (f'version = "1.0"\n{GIT}', "takes one of version, git and path"),
        (f'git = "{URL}"', "git and commit go together"),
        (f'commit = "{COMMIT}"', "git and commit go together"),
        (f'git = "{URL}"\ncommit = "main"', "a whole commit of 40 hexadecimal digits"),
        ('folder = "rust"', "folder is a place in git or path"),
        ('patches = ["no.patch"]', "there is no 'no.patch' beside the file"),
        ('lock = "no.lock"', "there is no 'no.lock' beside the file"),
        ('path = "no"', "there is no 'no' beside the file"),
    ],
)
def test_a_wrong_crate(speech, crate, message):
    path = speech.root / "services/hi/service.toml"
    path.write_text(f'[crate]\nname = "hello"\n{crate}')
    with pytest.raises(UsageError, match=message):
        service.load(path.parent)
