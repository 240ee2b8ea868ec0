"""The smoke test of the speech-to-text image, run where Python and CUDA's libraries are, and no card."""

from __future__ import annotations

import io
import json
import os
import tarfile

import pytest
import zstandard

from baker.config import measured
from baker.engine.client import Docker
from baker.smoke import bundle
from tests.e2e.conftest import STT, TTS

LIBRARIES = "/opt/venv/lib/python3.13/site-packages/nvidia"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The bundle, and the folder that it is unpacked to."""
    folder = tmp_path_factory.mktemp("smoke")
    with Docker(os.environ) as engine:
        image = engine.image(STT)
        assert image
        made = bundle.write(engine, STT, image, folder / "smoke.tar.zst")
    plain = zstandard.ZstdDecompressor().stream_reader((folder / "smoke.tar.zst").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain.read())) as files:
        files.extractall(folder, filter="data")
    (folder / "smoke.tar.zst").unlink()
    (folder / "result").mkdir()
    (folder / "result").chmod(0o777)
    folder.chmod(0o755)
    return made, folder


def run(engine, folder, *arguments):
    """Run the test in an image that has Python and CUDA's libraries, and nothing of baker's start."""
    volumes = {str(folder): {"bind": "/bundle", "mode": "rw"}}
    command = ["/bundle/smoke/run.py", "--output", "/bundle/result/smoke.json", *arguments]
    container = engine.containers.create(
        TTS,
        command,
        entrypoint="/opt/venv/bin/python",
        volumes=volumes,
        network_mode="none",
        environment={"HOME": "/tmp"},
    )
    try:
        container.start()
        code = container.wait(timeout=300)["StatusCode"]
        return code, container.logs().decode()
    finally:
        container.remove(force=True)


def test_the_words_are_right_and_the_result_is_a_measurement(engine, packed):
    made, folder = packed
    assert made.size < bundle.MOST
    assert made.cuda_libraries == ("libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10", "libnvrtc.so.12")
    code, said = run(engine, folder, "--cpu", "--cuda-libraries", LIBRARIES)
    assert code == 0, said
    assert "moshi-server: run: 0.6.4 (cuda) on the CPU, as asked for by --cpu" in said
    content = (folder / "result/smoke.json").read_bytes()
    found = measured.read(content, "smoke.json")
    assert found.words == ("hello",) * 4 + ("world",) * 3
    assert (found.device, found.capability, found.ptx) == ("cpu", "8.0", made.ptx)
    assert found.ptx.endswith(" sm_80")
    assert min(found.ready.empty, found.ready.kept) > 0
    assert json.loads(content)["nvidia_smi"] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cuda-libraries", LIBRARIES], "there is no libcuda.so.1: is a driver installed?"),
        (["--cpu"], "no libcublas.so.12, libcublasLt.so.12"),
    ],
    ids=["no driver", "no libraries"],
)
def test_what_is_missing_is_said_in_a_line(engine, packed, arguments, message):
    code, said = run(engine, packed[1], *arguments)
    assert code == 1
    assert message in said
    assert len(said.splitlines()) == 1
