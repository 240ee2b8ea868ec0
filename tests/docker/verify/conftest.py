"""Images to verify, and a way to break one."""

from __future__ import annotations

import subprocess
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from baker.build import prepare
from baker.cli import options
from tests.docker.project import NAMESPACE

TOP = Path(__file__).parents[3]
CANARY = f"hf_{'Canary' * 6}"


@pytest.fixture(scope="session")
def whole(make_furnished):
    """A built project with a venv, and the plan of its image."""
    project = make_furnished()
    settings = (project.root / "baker.toml").read_text()
    # There is less to read then.
    project.write("baker.toml", f'{settings}compression = "gzip"\n')
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace("venv = true", 'venv = true\nimports = ["iniconfig"]'))
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    request = options.BuildOptions(services=("hello",), project=project.root).request()
    made = prepare.make(request, prepare.choice(request, "debian", link=True, build_platform=request.host))
    return project, made.plan.services[0]


@pytest.fixture(scope="session")
def served(debian_root, engine):
    """An image with a server that stands in for moshi-server."""
    tag = f"{NAMESPACE}/served:latest"
    dockerfile = TOP / "tests/docker/health/Dockerfile"
    build = ["docker", "buildx", "build", "--load", "--target=baked", f"--build-arg=ROOT={debian_root}"]
    subprocess.run([*build, f"--tag={tag}", f"--file={dockerfile}", TOP], check=True, capture_output=True)
    yield tag
    engine.images.remove(tag)


@pytest.fixture
def changed(engine, tmp_path):
    """Change an image in a `with` block: settings stay but for what is changed, and RUN is root's for a moment."""

    @contextmanager
    def change(image, instructions):
        reference = f"{NAMESPACE}/broken:{uuid.uuid4().hex[:8]}"
        (tmp_path / "token").write_text(CANARY)
        (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n")
        lines = instructions.splitlines()
        if any(line.startswith("RUN") for line in lines):
            lines = ["USER 0:0", *lines, "USER 1000:1000"]
        text = "\n".join([f"FROM {image}", *lines, ""])
        (tmp_path / "Dockerfile").write_text(text.replace("RUN ", "RUN --mount=type=bind,target=/mnt "))
        build = ["docker", "buildx", "build", "--load", f"--tag={reference}", str(tmp_path)]
        subprocess.run(build, check=True, capture_output=True)
        try:
            yield reference
        finally:
            engine.images.remove(reference)

    return change
