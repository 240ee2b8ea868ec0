"""`baker verify` on the real images, and on images of them that are broken where only the real ones can be."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager

import pytest

from baker.dockerfile import requirements
from baker.verify import interpreter
from baker.verify.checks import inside
from tests import run
from tests.docker.here import ENGINE
from tests.e2e.conftest import PROJECT, STT, TTS

SITE = "/opt/venv/lib/python3*/site-packages"
# What is taken from the image, and what the check then says.
BROKEN = {
    "a module that tts.py imports": (f"rm -r {SITE}/pydantic", "No module named 'pydantic'"),
    "a module that torch.compile imports": (f"rm -r {SITE}/setuptools", "No module named 'setuptools'"),
    "ssl": ("rm /usr/lib/python3*/lib-dynload/_ssl.*.so", "_ssl"),
    "the environment": ("rm /opt/venv/pyvenv.cfg", "No module named"),
}


@contextmanager
def without(engine, image, command):
    """Make an image in which a command has run as root."""
    reference = f"{run.name('broken')}:latest"
    text = f"FROM {image}\nUSER 0:0\nRUN {command}\nUSER 1000:1000\n"
    build = ["docker", "buildx", "build", "--load", f"--tag={reference}", "-"]
    subprocess.run(build, input=text.encode(), check=True, capture_output=True)
    try:
        yield reference
    finally:
        engine.images.remove(reference)


@pytest.mark.parametrize("image", [STT, TTS])
def test_the_images_pass(engine, image):
    assert engine.ping()
    done = subprocess.run(
        [PROJECT / ".venv/bin/baker", "verify", image, "--json"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(done.stdout).values()
    checks = {item["name"]: item for item in found}
    assert not [item for item in found if item["skipped"]]
    assert ("embedded" in checks, "compiles" in checks) == (image == TTS, image == TTS)
    assert checks["ready"]["detail"].startswith("reads Ready: healthy: /api/")
    if image == TTS:
        assert "in /opt/venv: " in checks["embedded"]["detail"]
        assert "torch 2.9" in checks["embedded"]["detail"]


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_embedded_interpreter_cannot_import(engine, name):
    command, says = BROKEN[name]
    with without(engine, TTS, command) as reference:
        image = ENGINE.image(reference)
        assert image is not None
        found = interpreter.check(ENGINE, reference, requirements.from_labels(image.labels, image.config))
    assert not found.passed
    assert says in found.detail


def test_a_compiler_without_pythons_headers(engine):
    with without(engine, TTS, "rm /usr/include/python3*/Python.h") as reference:
        found = inside(ENGINE, reference, "compiles", ("g++",))
    assert not found.passed
    assert "Python.h" in found.detail
