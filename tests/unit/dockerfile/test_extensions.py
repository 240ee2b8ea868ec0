"""Python packages in Rust without a wheel for the platform: which are compiled, where, and what takes them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from msgspec import structs

from baker.config import cuda, project
from baker.config.platforms import AMD64, ARM64
from baker.dockerfile import extensions, planner, render
from tests.unit import choices

PROJECT = project.find(project.BUILTIN)
PINS = PROJECT.read_pins()


def services(*names):
    settings = replace(PROJECT.read_settings(), cuda="13.0")
    return cuda.settle(PROJECT.read_services(names), settings, PINS)[0]


def dockerfile(platform, build_platform=AMD64, *, pypi=""):
    choice = choices.choice(platform=platform, build_platform=build_platform)
    mirrors = structs.replace(PROJECT.read_settings().mirrors, pypi=pypi)
    plan = planner.make(services(), PINS, mirrors, choice, PROJECT.services_folder)
    return plan, next(file.content for file in render.render(plan) if file.path == "Dockerfile").decode()


@pytest.mark.parametrize(("build_platform", "toolchain"), [(AMD64, "toolchain-cross"), (ARM64, "toolchain")])
def test_what_has_no_wheel_is_compiled_on_the_builder(build_platform, toolchain):
    plan, text = dockerfile(ARM64, build_platform)
    (sphn,) = plan.extensions
    assert (sphn.name, sphn.toolchain) == ("sphn", toolchain)
    assert f"FROM {toolchain} AS wheel-sphn\n" in text
    assert f"sdist {sphn.url} {sphn.sha256}\n" in text
    foreign = " --python-platform aarch64-manylinux_2_40" if build_platform is AMD64 else ""
    assert f"uv sync --project /project{foreign} --locked --no-install-project --no-install-package sphn" in text
    assert ("PYO3_CROSS_LIB_DIR=/usr/lib/python3.13 CARGO_HOME" in text) == (build_platform is AMD64)


def test_the_bill_of_materials_gets_its_lock_where_the_environment_is():
    plan, _ = dockerfile(ARM64)
    got = {image.name: [copy.target for copy in image.copies if copy.stage == "sdist-sphn"] for image in plan.services}
    assert got == {"stt": [], "tts": [f"/opt/baker/crates/{plan.extensions[0].folder}/Cargo.lock"]}


def test_where_there_is_a_wheel_nothing_is_compiled():
    plan, text = dockerfile(AMD64)
    assert plan.extensions == ()
    assert "sphn" not in text


def test_what_compiles_it_has_no_network_and_no_secret():
    _, text = dockerfile(ARM64)
    stage = text.split(" AS wheel-sphn\n")[1].split("\nFROM ", maxsplit=1)[0]
    (compile_,) = (run for run in re.split(r"^RUN ", stage, flags=re.MULTILINE) if "maturin build" in run)
    assert compile_.startswith("--network=none ")
    assert "--offline" in compile_
    assert "secret" not in compile_


def test_another_index_is_asked_for_the_sdist():
    plan, text = dockerfile(ARM64, pypi="https://pypi.example.com/simple")
    assert f"sdist https://pypi.example.com/simple/ {plan.extensions[0].sha256}\n" in text
    assert "--no-emit-package sphn" in text
    assert "pythonhosted" not in text


@pytest.mark.parametrize(
    "choice", [choices.choice(platform=ARM64, base="nvidia"), choices.choice(platform=AMD64)], ids=["nvidia", "amd64"]
)
def test_a_base_without_maturin_and_a_platform_with_wheels_compile_none(choice):
    (tts,) = services("tts")
    assert extensions.plan(tts, "3.13", choice) == ()


def test_a_service_that_names_none_compiles_none():
    (tts,) = services("tts")
    unnamed = replace(tts, python=structs.replace(tts.python, extensions=()))
    assert extensions.plan(unnamed, "3.13", choices.choice(platform=ARM64)) == ()
