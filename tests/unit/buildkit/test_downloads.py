"""What apt, uv, pip and cargo print of their downloads."""

from __future__ import annotations

import pytest

from baker.buildkit.downloads import Downloads


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        (["Need to get 209 MB/217 MB of archives.", "Fetched 209 MB in 1s (181 MB/s)"], 209_000_000),
        (["Fetched 17.2 MB in 1s (15.1 MB/s)", "Fetched 231 kB in 0s (1749 kB/s)"], 17_431_000),
        (["Fetched 0 B in 0s (0 B/s)"], 0),
        (["Downloading torch (858.1MiB)", " Downloaded torch"], round(858.1 * 2**20)),
        # One that did not arrive is none; one that was begun twice counts once.
        (["Downloading torch (858.1MiB)", "Downloading numpy (1.0MiB)", " Downloaded numpy"], 2**20),
        (["Downloading numpy (1.0MiB)", "Downloading numpy (1.0MiB)", " Downloaded numpy"], 2**20),
        (["  Downloading uv-0.13.9-py3-none-manylinux_2_17_x86_64.whl (17.6 MB)"], 17_600_000),
        (["  Downloaded 12 crates (1.2 MB) in 3.05s"], 1_200_000),
        (["Fetched by hand", "Downloading", "   Compiling libc v0.2.1"], 0),
    ],
)
def test_bytes_of_each_program(lines, total):
    found = Downloads()
    for line in lines:
        found.read(line)
    assert found.total == total
