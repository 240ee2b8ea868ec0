"""`baker inspect` on the images that `make images` built."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from baker.synthetic import stt_model
from tests import run
from tests.e2e.conftest import PROJECT, STT, TTS, listening, wait


@pytest.fixture(scope="module")
def seen(engine):
    assert engine.ping()
    command = [sys.executable, "-m", "baker", "inspect", STT, TTS, "--json", "-C", str(PROJECT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {image["name"]: image for image in json.loads(done.stdout)}


@pytest.mark.parametrize("name", [STT, TTS])
def test_what_an_image_is(seen, name):
    found = seen[name]
    assert found["facts"]["crate"] == "moshi-server"
    assert "compute capability" in found["cards"]
    assert found["driver"]
    assert found["mounts"] == ["/root/.cache/huggingface", "/tmp/unmute_logs"]
    assert found["ports"] == ["8080/tcp"]
    # The root that the debian base imports was made by no instruction.
    assert sum(not layer["made_by"] for layer in found["layers"]) <= 1
    assert sum(layer["size"] for layer in found["layers"]) == pytest.approx(found["size"], rel=0.2)


def test_cuda_is_shared(seen):
    names = [name for layer in seen[STT]["layers"] if layer["size"] > 10**8 for name in layer["shared"]]
    assert seen[TTS]["name"].rpartition(":")[0] in {name.rpartition(":")[0] for name in names}


def test_the_line_that_it_prints_runs_it(engine, seen, tmp_path):
    """As it is printed, but for the folders that it mounts, the port on this machine, and a name to find it by."""
    stt_model.write_model(tmp_path / "models", seen_as="/models")
    name = run.name("line")
    words = [
        word.replace("huggingface:", f"{name}-hf:").replace("stt-", f"{name}-")
        for word in shlex.split(seen[STT]["run_on_cpu"])
    ]
    words[words.index("8080:8080/tcp")] = "127.0.0.1::8080"
    words[words.index("configs/stt.toml")] = "/models/stt.toml"
    words[2:2] = ["--detach", f"--name={name}", f"--volume={tmp_path}/models:/models:ro"]
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    try:
        subprocess.run(words, check=True, capture_output=True)
        container = engine.containers.get(name)
        wait(lambda: listening(container), container)
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)
        for volume in engine.volumes.list(filters={"name": name}):
            volume.remove()
