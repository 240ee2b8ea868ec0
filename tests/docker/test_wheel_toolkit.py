"""The scripts that make a CUDA toolkit and layers of wheels, in a root without CUDA."""

from __future__ import annotations

import subprocess

import pytest

from baker.dockerfile.render import TEMPLATES
from tests.docker.here import ENGINE

SITE = "/opt/venv/lib/python3.13/site-packages"
HOME = f"{SITE}/nvidia/cu13"
# Files as the wheels of CUDA 13 have them: all libraries in one folder.
LAYOUT = f"""
mkdir -p {HOME}/bin {HOME}/include {HOME}/nvvm {HOME}/lib {SITE}/nvidia_cublas.dist-info {SITE}/nvidia_cufft.dist-info
cd {HOME}
printf '#!/bin/sh\\n' > bin/nvcc && chmod +x bin/nvcc
for name in cublas.so.13 cublasLt.so.13 cufft.so.12 nvrtc.so.13 nvrtc-builtins.so.13.0 nvrtc.alt.so.13; do
  echo "$name" > "lib/lib$name"
done
touch lib/libcudart_static.a
echo 'nvidia/cu13/lib/libcublas.so.13,,' > {SITE}/nvidia_cublas.dist-info/RECORD
echo 'nvidia/cu13/lib/libcufft.so.12,,' > {SITE}/nvidia_cufft.dist-info/RECORD
touch {SITE}/nvidia_cublas.dist-info/METADATA {SITE}/nvidia_cufft.dist-info/METADATA
cd /
"""


@pytest.fixture
def within(debian_root):
    """Run a shell script in a root that has the scripts of a build, and return what it prints."""

    def run(script: str) -> subprocess.CompletedProcess[str]:
        argv = ["docker", "run", "--rm", "--network=none", "-v", f"{TEMPLATES.resolve()}/scripts:/scripts:ro"]
        return subprocess.run(
            [*argv, debian_root, "sh", "-euc", f"PATH=/scripts:$PATH\n{script}"],
            capture_output=True,
            text=True,
            check=False,
            env=dict(ENGINE.environment),
        )

    return run


def test_a_toolkit_and_what_a_program_links(within):
    done = within(f"{LAYOUT}make-toolkit {HOME} /toolkit; cd /toolkit; find . ! -type d | sort; test ! -e /opt/venv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "./cuda/bin/nvcc",
        "./cuda/lib/libcudart_static.a",
        "./cuda/lib64",
        "./lib/libcublas.so",
        "./lib/libcublas.so.13",
        "./lib/libcublasLt.so",
        "./lib/libcublasLt.so.13",
        "./lib/libcufft.so",
        "./lib/libcufft.so.12",
        "./lib/libnvrtc.so",
        "./lib/libnvrtc.so.13",
    ]


def test_a_toolkit_without_a_compiler(within):
    done = within(f"{LAYOUT}rm {HOME}/bin/nvcc; make-toolkit {HOME} /toolkit")
    assert (done.returncode, done.stderr.splitlines()[-1][:43]) == (
        1,
        f"make-toolkit: there is no bin/nvcc in {HOME}"[:43],
    )


def test_some_libraries_of_a_folder_become_layers_and_the_rest_stays(within):
    kept = f"keep-libraries {SITE} /layers 'nvidia/cu13/lib/libcublas*' 'nvidia/cu13/lib/libnvrtc*'"
    done = within(f"{LAYOUT}{kept}; cd /layers; find . -type f | sort")
    assert done.returncode == 0, done.stderr
    found = [line.replace(f".{SITE}/", "").replace(SITE, "") for line in done.stdout.split()]
    assert found == [
        "./1/nvidia/cu13/lib/libcublas.so.13",
        "./1/nvidia/cu13/lib/libcublasLt.so.13",
        "./1/nvidia_cublas.dist-info/METADATA",
        "./2/nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
        "./2/nvidia/cu13/lib/libnvrtc.alt.so.13",
        "./2/nvidia/cu13/lib/libnvrtc.so.13",
    ]
    split = f"split-venv {SITE} /layers '-nvidia/cu13/lib/libcublas*' '-nvidia/cu13/lib/libnvrtc*' nvidia/cu13"
    done = within(f"{LAYOUT}{split}; find /layers/1 -name '*.so*'")
    assert done.stdout.split() == [f"/layers/1{HOME}/lib/libcufft.so.12"], done.stderr


def test_a_pattern_that_fits_nothing_ends_the_build(within):
    done = within(f"{LAYOUT}keep-libraries {SITE} /layers 'nvidia/cu13/lib/libcurand*'")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"keep-libraries: no shared object in {SITE}/nvidia/cu13/lib/libcurand*"
