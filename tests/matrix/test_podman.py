"""A published image on podman: docs/hosts.md says how it is started there, and what podman lacks."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from pathlib import Path

import pytest

from baker.engine.client import Docker
from tests import documentation
from tests.docker import publishing
from tests.docker.project import CRATE, Project, lay_out
from tests.engines import podman
from tests.engines.running import running

TOP = Path(__file__).parents[2]
STANDIN = TOP / "tests/docker/health"
# The probe of the real images beside a stand-in for moshi-server.
SERVICE = f"""
[crate]
name = "{CRATE}"
[image]
port = 8080
start = "/app/start.sh"
command = ["worker", "--config", "configs/stt.toml"]
tools = ["probe"]
health = ["/opt/baker/bin/moshi-health"]
packages.debian = ["python3"]
[[image.files]]
from = "start.sh"
to = "/app/start.sh"
mode = "0755"
[[image.files]]
from = "worker.py"
to = "/app/worker"
[[image.files]]
from = "configs"
to = "/app/configs"
"""
PAGE = documentation.ROOT / "docs/hosts.md"
PATIENCE = 60


@pytest.fixture(scope="module")
def reference(tmp_path_factory, port, root) -> str:
    """An image in a registry, as `baker publish` pushes it from an engine that can, whatever the machine's is."""
    project = Project(tmp_path_factory.mktemp("p"))
    shutil.copy(TOP / "baker.lock", project.root)
    lay_out(project)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    project.write("services/hello/service.toml", SERVICE)
    folder = project.root / "services/hello"
    shutil.copytree(TOP / "services/moshi-server/probe", folder / "probe", ignore=shutil.ignore_patterns("target"))
    shutil.copytree(TOP / "services/stt/configs", folder / "configs")
    for name in ("start.sh", "worker.py"):
        shutil.copy(STANDIN / name, folder)
    home = f"127.0.0.1:{port}/podman"
    with running("trixie", port=port) as engine:
        publishing.make_keys(project.root, **engine.environment)
        with Docker({**os.environ, **engine.environment}) as client:
            client.load(root)
        item = publishing.published(project, home, **engine.environment)
    return f"{home}/hello@{item['digest']}"


@pytest.fixture(scope="module")
def pod(reference):
    """Podman with that image."""
    with podman.running() as found:
        found.said("pull", "--quiet", "--tls-verify=false", reference)
        yield found


def documented() -> list[str]:
    """Return what stands between `podman run` and the image on the page."""
    (line,) = [line for line in documentation.blocks(PAGE) if line.startswith("podman run ")]
    words = shlex.split(line)
    assert words[-1] == "IMAGE"
    return words[2:-1]


def until(check, expected) -> None:
    give_up = time.monotonic() + PATIENCE
    while (found := check()) != expected:
        assert time.monotonic() < give_up, found
        time.sleep(0.5)


def test_the_health_check_of_an_oci_manifest_is_dropped(pod, reference):
    """Once it is not, docs/hosts.md promises too little."""
    (image,) = json.loads(pod.said("image", "inspect", reference))
    assert image["Config"]["Entrypoint"] == ["/usr/bin/tini", "--", "/app/start.sh"]
    assert image["User"] == "1000:1000"
    assert "Healthcheck" not in image
    assert "Healthcheck" not in image["Config"]
    name = pod.said("run", "--detach", *podman.ALONE, reference)
    assert "has no defined healthcheck" in pod.call("healthcheck", "run", name).stderr
    pod.said("rm", "--force", "--time=5", name)


def test_a_published_image_runs_hardened_and_its_health_is_seen(pod, reference):
    hardened = ("--read-only", "--cap-drop=ALL")
    name = pod.said("run", "--detach", *podman.ALONE, *hardened, *documented(), reference)

    def look() -> int:
        return pod.call("healthcheck", "run", name).returncode

    def health() -> str:
        return pod.said("inspect", "--format={{.State.Health.Status}}", name)

    until(look, 0)
    assert health() == "healthy"
    pod.said("exec", name, "touch", "/tmp/die")
    until(look, 1)
    # As many failures as the page's --health-retries.
    until(lambda: (look(), health())[1], "unhealthy")
    pod.said("stop", "--time=60", name)
    # tini hands the signal on; 137 is what podman had to kill after the minute.
    assert pod.said("inspect", "--format={{.State.ExitCode}}", name) != "137"
