"""Crates that want a newer Rust than a base's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baker.config import project
from baker.config.platforms import ARM64
from baker.dockerfile import planner, render
from baker.errors import LockError, UsageError
from tests.unit import choices

if TYPE_CHECKING:
    from baker.config.project import Project
    from baker.dockerfile.plan import Plan

HERE = project.find(Path(__file__).parent)
GOLDEN = Path(__file__).with_name("golden")
PIN = '\n[crates.{0}]\nversion = "1.0.0"\nsha256 = "' + "ab" * 32 + '"\n'


@pytest.fixture
def speech(tmp_path) -> Project:
    """A project with a crate that wants Rust 1.88, and one that any Rust compiles."""
    (tmp_path / "baker.toml").touch()
    text = re.sub(r"^rust-backports = .*\n", "", (HERE.root / "baker.lock").read_text(), flags=re.MULTILINE)
    text = re.sub(r"^rust = .*", 'rust = "1.85"\nrust-backports = "1.96"', text, flags=re.MULTILINE)
    text = re.sub(r"^toolchain = .*", 'toolchain = "1.85.1"', text, flags=re.MULTILINE)
    (tmp_path / "baker.lock").write_text(text + PIN.format("new") + 'rust = "1.88"\n' + PIN.format("old"))
    for name in ("new", "old"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "service.toml").write_text(f'[crate]\nname = "{name}"\n')
    return project.find(tmp_path)


def made(found: Project, *services: str, mirrors: str = "", **more: object) -> Plan:
    (found.root / "baker.toml").write_text(mirrors)
    settings, choice = found.read_settings(), choices.choice(**{"accel": "cpu", **more})
    return planner.make(
        found.read_services(services), found.read_pins(), settings.mirrors, choice, found.services_folder
    )


def rendered(plan: Plan) -> dict[str, str]:
    return {file.path: file.content.decode() for file in render.render(plan)}


def stages(plan: Plan) -> list[str]:
    return [line.rpartition(" ")[2] for line in rendered(plan)["Dockerfile"].splitlines() if line.startswith("FROM ")]


def test_dockerfile(request, speech):
    found = rendered(made(speech, "new", "old"))["Dockerfile"]
    golden = GOLDEN / "debian-cpu-newer-rust.Dockerfile"
    if request.config.getoption("update_golden"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_only_the_crate_that_wants_it_gets_it(speech):
    plan = made(speech, "new", "old")
    assert {each.crate.name: each.toolchain for each in plan.binaries} == {
        "new": "toolchain-backports",
        "old": "toolchain",
    }
    without = made(speech, "old")
    assert "toolchain-backports" not in stages(without)
    assert "files/backports.list" not in rendered(without)
    assert (
        "\nPackage: cargo:any rustc:any libstd-rust-*:any\nPin: release n=trixie-backports\n"
        in rendered(plan)["files/backports.pref"]
    )


def test_with_a_card_on_another_platform(speech):
    for name in ("new", "old"):
        (speech.root / "services" / name / "service.toml").write_text(
            f'[crate]\nname = "{name}"\nfeatures.cuda = ["cuda"]\n'
        )
    plan = made(speech, "new", "old", accel="cuda", platform=ARM64)
    found = stages(plan)
    assert found.index("toolchain-cuda") < found.index("toolchain-cuda-backports")
    assert found.index("toolchain-cuda-backports") < found.index("toolchain-cuda-backports-cross")
    assert {each.toolchain for each in plan.binaries} == {"toolchain-cuda-cross", "toolchain-cuda-backports-cross"}
    text = rendered(plan)["Dockerfile"].partition(" AS toolchain-cuda-backports-cross\n")[2].partition("\nFROM ")[0]
    assert "libstd-rust-dev:arm64" in text
    assert "make-link-stubs" in text


def test_a_builder_has_it_too(speech):
    text = rendered(made(speech, "new", variant="builder"))["Dockerfile"]
    builder = text.partition(" AS new-builder\n")[2]
    assert "COPY files/backports.list " in builder
    assert "COPY files/backports.pref " in builder
    assert "backports" not in rendered(made(speech, "old", variant="builder"))["Dockerfile"]


def test_a_compile_takes_no_units_of_another_rust(speech):
    def cache() -> str:
        (binary,) = made(speech, "old").binaries
        return binary.cache

    before = cache()
    (speech.root / "services/old/service.toml").write_text('[crate]\nname = "old"\nrust = "1.90"\n')
    assert cache() != before


def test_the_mirror_at_the_time_of_the_pins(speech):
    mirror = "[mirrors]\ndebian = 'https://debian.example.com/{snapshot}/debian'\n"
    listed = rendered(made(speech, "new", mirrors=mirror))["files/backports.list"]
    time = speech.read_pins().debian.snapshot
    assert listed.endswith(f" https://debian.example.com/{time}/debian trixie-backports main\n")


@pytest.mark.parametrize(
    ("wanted", "toolchain"),
    [("1.84", "toolchain"), ("1.85", "toolchain"), ("1.85.1", "toolchain-backports"), ("1.96", "toolchain-backports")],
)
def test_a_service_says_it_itself(speech, wanted, toolchain):
    """What the release says is the least: a dependency may want more."""
    (speech.root / "services/old/service.toml").write_text(f'[crate]\nname = "old"\nrust = "{wanted}"\n')
    assert made(speech, "old").binaries[0].toolchain == toolchain
    (speech.root / "services/new/service.toml").write_text(f'[crate]\nname = "new"\nrust = "{wanted}"\n')
    assert made(speech, "new").binaries[0].toolchain == "toolchain-backports"


def test_a_folder_has_no_pin_and_says_it_itself(speech):
    folder = speech.root / "services/old/mine"
    folder.mkdir()
    (folder / "Cargo.toml").write_text('[package]\nname = "old"\nversion = "0.1.0"\n')
    text = '[crate]\nname = "old"\npath = "mine"\n'
    (speech.root / "services/old/service.toml").write_text(text)
    assert made(speech, "old").binaries[0].toolchain == "toolchain"
    (speech.root / "services/old/service.toml").write_text(text + 'rust = "1.90"\n')
    assert made(speech, "old").binaries[0].toolchain == "toolchain-backports"


@pytest.mark.parametrize(
    ("base", "wanted", "said"),
    [
        ("debian", "1.97", r"new 1\.0\.0 wants Rust 1\.97, .* trixie has 1\.85 and its backports 1\.96: .* debian"),
        ("nvidia", "1.88", r"new 1\.0\.0 wants Rust 1\.88, and \[rust\] .* 1\.85\.1: run `baker lock --upgrade rust`"),
    ],
)
def test_a_rust_that_a_base_does_not_have(speech, base, wanted, said):
    (speech.root / "services/new/service.toml").write_text(f'[crate]\nname = "new"\nrust = "{wanted}"\n')
    with pytest.raises(LockError, match=said):
        made(speech, "new", base=base)


def test_a_lock_without_backports(speech):
    lock = speech.root / "baker.lock"
    lock.write_text(lock.read_text().replace('rust-backports = "1.96"\n', ""))
    with pytest.raises(LockError, match=r"backports none: run `baker lock --upgrade debian`"):
        made(speech, "new")


def test_what_is_no_version(speech):
    (speech.root / "services/new/service.toml").write_text('[crate]\nname = "new"\nrust = "stable"\n')
    with pytest.raises(UsageError, match="rust"):
        made(speech, "new")
