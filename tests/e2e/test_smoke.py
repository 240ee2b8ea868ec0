"""The smoke tests of the images, run where Python, torch and CUDA's libraries are, and no card."""

from __future__ import annotations

import io
import json
import os
import platform
import tarfile

import pytest
import zstandard

from baker.config import measured
from baker.engine.client import Docker
from baker.smoke import bundle
from tests.e2e.conftest import STT, TTS

PACKAGES = "/opt/venv/lib/python3.13/site-packages"
LIBRARIES = f"{PACKAGES}/nvidia"
CUDA = ("libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10", "libnvrtc.so.12")


def pack(reference, folder):
    """Return the bundle of an image, unpacked in a folder."""
    with Docker(os.environ) as engine:
        image = engine.image(reference)
        assert image
        made = bundle.write(engine, reference, image, folder / "smoke.tar.zst")
    plain = zstandard.ZstdDecompressor().stream_reader((folder / "smoke.tar.zst").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain.read())) as files:
        files.extractall(folder, filter="data")
    (folder / "smoke.tar.zst").unlink()
    (folder / "result").mkdir()
    (folder / "result").chmod(0o777)
    folder.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The bundle of speech-to-text, and the folder that it is unpacked to."""
    folder = tmp_path_factory.mktemp("smoke")
    return pack(STT, folder), folder


@pytest.fixture(scope="module")
def speaking(tmp_path_factory):
    """The bundle of text-to-speech, and the folder that it is unpacked to."""
    folder = tmp_path_factory.mktemp("smoke")
    return pack(TTS, folder), folder


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
        # Compiling would take half a minute, and shows nothing that test_tts does not.
        environment={"HOME": "/tmp", "NO_TORCH_COMPILE": "1"},
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
    assert made.cuda_libraries == CUDA
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


@pytest.mark.nightly
def test_text_to_speech_speaks_with_the_torch_of_the_machine(engine, speaking):
    made, folder = speaking
    assert made.size < bundle.MOST
    assert (made.cuda_libraries, made.python) == (CUDA, "3.13")
    site = folder / "smoke/python/lib/python3.13/site-packages"
    assert (site / "moshi").is_dir()
    # Triton compiles a module for this Python on the machine with the card.
    headers = folder / "smoke/python/include/python3.13"
    assert (headers / f"{platform.machine()}-linux-gnu/python3.13/pyconfig.h").is_file()
    assert not [path for path in site.iterdir() if path.name.startswith(("torch", "nvidia", "triton"))]
    code, said = run(engine, folder, "--cpu", "--torch", PACKAGES)
    assert code == 0, said
    found = measured.read((folder / "result/smoke.json").read_bytes(), "smoke.json")
    assert found.words == ("hello", "world,", "it's", "me") * 2
    assert (found.service, found.device) == ("tts", "cpu")


@pytest.mark.nightly
def test_another_torch_is_said_in_a_line(engine, speaking):
    made, folder = speaking
    (folder / "other/torch").mkdir(parents=True)
    (folder / "other/torch/version.py").touch()
    (folder / "other/torch/__init__.py").write_text("raise ImportError('it is for another Python')")
    code, said = run(engine, folder, "--cpu", "--torch", "/bundle/other", "--cuda-libraries", LIBRARIES)
    assert code == 1
    expected = (
        f"smoke: the torch in /bundle/other does not load, and torch {made.torch} for Python 3.13 is needed: "
        f"ImportError: it is for another Python; `uv pip install torch=={made.torch}` in an environment of Python "
        "3.13 has it\n"
    )
    assert said == expected


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
