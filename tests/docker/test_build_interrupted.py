"""A build that is ended from outside ends at once, and leaves the tags."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.docker.building import add_tool, running
from tests.docker.project import CRATE, NAMESPACE, tagged


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda sent: sent.name)
def test_ctrl_c_and_its_like_end_it_at_once_and_leave_the_tags(shared, engine, sent):
    """SIGTERM is what ends a job of CI, SIGHUP a closed terminal: buildx must not compile on by itself."""
    before, tags = engine.images.get(shared.image).id, tagged(engine, shared)
    name = f"slow-{os.getpid()}-{sent.name.lower()}"
    add_tool(shared, name, "fn main() { std::thread::sleep(std::time::Duration::from_secs(120)) }\n")
    # buildx has the image's name among its arguments; the build script runs in the engine.
    client, script = f"tags={NAMESPACE}/{shared.root.name}/", f"build/{name}-"
    command = [sys.executable, "-m", "baker", "build"]
    process = subprocess.Popen(command, cwd=shared.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = shared.root / ".baker/build.log"
    deadline = time.monotonic() + 120
    try:
        while f"Compiling {name}" not in (log.read_text() if log.exists() else "") or not running(script):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        assert running(client), "the search must be able to find something"
        begun = time.monotonic()
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
        seconds = time.monotonic() - begun
    finally:
        process.kill()
    left = running(client)
    for pid in left:
        os.kill(int(pid), signal.SIGINT)
    assert left == []
    assert process.returncode == 130
    assert "the tags are as they were" in said
    assert seconds < 10
    while running(script):
        assert time.monotonic() < begun + 10, "the engine compiles on"
        time.sleep(0.1)
    assert engine.images.get(shared.image).id == before
    assert tagged(engine, shared) == tags
    # The same command would go on from here: it says what it does not do again, before it starts.
    told = shared.baker("plan").stdout.splitlines()
    assert any(line.startswith("the last build was interrupted after ") for line in told), told
    (again,) = (line for line in told if line.startswith("not built again: "))
    assert {"toolchain", f"crate-{CRATE}", f"binary-{CRATE}-cpu"} <= set(re.findall(r"[\w-]+", again))
