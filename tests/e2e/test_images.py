"""What is in the images, and what is not."""

from __future__ import annotations

import json
import subprocess
from itertools import takewhile
from typing import Any

import pytest

from baker.system.units import GIGABYTE
from tests.e2e.conftest import PROJECT, STT, TTS, listening, wait

LABELS = {
    "dev.baker.accel",
    "dev.baker.capabilities",
    "dev.baker.crate.version",
    "dev.baker.cuda",
    "dev.baker.driver-floor",
    "dev.baker.python",
    "org.opencontainers.image.description",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.title",
    "org.opencontainers.image.version",
}
BUILD_TOOLS = ("cargo", "rustc", "uv ", "pip ")
# The CUDA libraries, and the Debian below them.
SHARED_AT_LEAST = 1.0 * GIGABYTE


@pytest.mark.parametrize(("image", "budget"), [(STT, 1.35 * GIGABYTE), (TTS, 7.6 * GIGABYTE)])
def test_size(engine, image, budget):
    history = sum(layer["Size"] for layer in engine.api.history(image))
    assert min(engine.api.inspect_image(image)["Size"], history) <= budget


@pytest.mark.parametrize("image", [STT, TTS])
def test_config(engine, image):
    config = engine.images.get(image).attrs["Config"]
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"][:2] == ["/usr/bin/tini", "--"]
    assert config["Healthcheck"].get("StartPeriod", 0) == 0
    assert config["Labels"].keys() >= LABELS
    assert "8080/tcp" in config["ExposedPorts"]


def test_cuda_is_shipped_once(engine):
    images = {image: engine.images.get(image).attrs for image in (STT, TTS)}
    layers = {image: found["RootFS"]["Layers"] for image, found in images.items()}
    # A store shares an unpacked layer only where all below it is the same: count up to the first difference.
    pairs = zip(layers[STT], layers[TTS], strict=False)
    shared = list(takewhile(lambda pair: pair[0] == pair[1], pairs))
    sizes = [entry["Size"] for entry in reversed(engine.api.history(STT)) if entry["Size"]]
    made = {image: (found["Created"], layers[image][:8]) for image, found in images.items()}
    assert sum(sizes[: len(shared)]) > SHARED_AT_LEAST, made


@pytest.mark.parametrize("image", [STT, TTS])
def test_no_library_twice(engine, image):
    script = "find / -xdev -type f -name '*.so*' -size +64k -exec sha256sum {} + | sort | uniq -w 64 -D"
    assert engine.containers.run(image, ["-c", script], entrypoint="/bin/sh", user="0", remove=True) == b""


def test_stt_has_neither_python_nor_a_compiler(engine):
    script = "for p in python3 g++ gcc nvcc cargo uv pip; do command -v $p; done; find / -xdev -name 'torch*'; true"
    assert engine.containers.run(STT, ["-c", script], entrypoint="/bin/sh", user="0", remove=True) == b""


def test_a_start_installs_nothing(start, models):
    volumes = {str(models / "stt"): {"bind": "/models", "mode": "ro"}}
    with start(STT, ["worker", "--config", "/models/stt.toml", "--cpu"], volumes=volumes) as container:
        wait(lambda: listening(container), container)
        log = container.logs().decode().replace("cargo_target_triple", "").replace("rustc_host_triple", "")
    log = log.replace("rustc_version", "")
    assert [tool for tool in BUILD_TOOLS if tool in log] == []


def test_the_compose_file():
    def config(*files: str) -> dict[str, Any]:
        command = ["docker", "compose", *(f"--file={name}" for name in files), "config", "--format=json"]
        output = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
        return json.loads(output)["services"]

    services = config("docker-compose.yml")
    assert services.keys() == {"stt", "tts"}
    for service in services.values():
        assert {mount["target"] for mount in service["volumes"]} == {"/root/.cache/huggingface", "/tmp/unmute_logs"}
        assert service["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"
    for service in config("docker-compose.yml", "docker-compose.cpu.yml").values():
        assert "--cpu" in service["command"]
        assert "devices" not in str(service.get("deploy"))
