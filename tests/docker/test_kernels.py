"""A compile for another compute capability finds nothing of what build scripts made for the last one."""

from __future__ import annotations

import subprocess

import pytest

from baker.dockerfile.render import TEMPLATES

SCRIPT = TEMPLATES / "scripts/forget-kernels"
ASKS = "cargo:rerun-if-env-changed=CUDA_COMPUTE_CAP\ncargo:rerun-if-changed=src/affine.cu\n"
# Where cargo keeps what build scripts make: of a compile for this platform, and for another one.
PLACES = ("release", "aarch64-unknown-linux-gnu/release")


@pytest.fixture(params=PLACES)
def release(tmp_path, request):
    """A target folder after a compile for 8.0: of kernels, of another library, and of a script that was killed."""
    found = tmp_path / request.param
    for name, said in (("candle-kernels-1", ASKS), ("openssl-sys-2", "cargo:rustc-link-lib=ssl\n"), ("killed-3", None)):
        (found / "build" / name / "out").mkdir(parents=True)
        (found / "build" / name / "out/made").write_text("8.0")
        (found / ".fingerprint" / name).mkdir(parents=True)
        if said is not None:
            (found / "build" / name / "output").write_text(said)
    # The script itself, compiled: it made nothing.
    (found / "build/candle-kernels-4").mkdir()
    compile_for(tmp_path, "80")
    for name in ("candle-kernels-1", "killed-3"):
        (found / "build" / name / "out").mkdir(parents=True)
        (found / ".fingerprint" / name).mkdir(parents=True)
    (found / "build/candle-kernels-1/output").write_text(ASKS)
    return found


def compile_for(target, capability):
    subprocess.run(["sh", str(SCRIPT), str(target), capability], check=True)


def left(release):
    return (
        sorted(path.name for path in (release / "build").iterdir()),
        sorted(path.name for path in (release / ".fingerprint").iterdir()),
    )


def test_the_same_capability_keeps_everything(release, tmp_path):
    before = left(release)
    assert before == (
        ["candle-kernels-1", "candle-kernels-4", "killed-3", "openssl-sys-2"],
        ["candle-kernels-1", "killed-3", "openssl-sys-2"],
    )
    compile_for(tmp_path, "80")
    assert left(release) == before


def test_another_one_lets_kernels_be_made_anew_and_nothing_else(release, tmp_path):
    compile_for(tmp_path, "86")
    assert left(release) == (["candle-kernels-4", "openssl-sys-2"], ["openssl-sys-2"])
    assert (release / "build/openssl-sys-2/out/made").read_text() == "8.0"


def test_a_compile_that_was_ended_counts_too(release, tmp_path):
    """Back to 8.0 after one for 8.6 that came to nothing."""
    compile_for(tmp_path, "86")
    (release / "build/candle-kernels-1/out").mkdir(parents=True)
    compile_for(tmp_path, "80")
    assert left(release) == (["candle-kernels-4", "openssl-sys-2"], ["openssl-sys-2"])


def test_a_folder_from_before_counts_as_another_one(release, tmp_path):
    (tmp_path / "compute-capability").unlink()
    compile_for(tmp_path, "80")
    assert left(release) == (["candle-kernels-4", "openssl-sys-2"], ["openssl-sys-2"])


def test_an_empty_folder(tmp_path):
    compile_for(tmp_path, "80")
    assert (tmp_path / "compute-capability").read_text() == "80"
