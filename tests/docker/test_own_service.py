"""What docs/own-service.md says, done step by step; a crate of the same name that compiles in a second stands in."""

from __future__ import annotations

import collections
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documentation, run
from tests.docker import crates, project

PAGE = documentation.ROOT / "docs/own-service.md"
# It takes --port and a folder, and answers each request with the folder's index.html, as microserver does.
SERVER = """
use std::{env, fs, io::{Read, Write}, net::TcpListener};
fn main() {
    let words: Vec<String> = env::args().collect();
    if words.len() < 4 { return println!("microserver 0.2.1"); }
    let page = fs::read_to_string(format!("{}/index.html", words[3])).unwrap();
    for stream in TcpListener::bind(format!("0.0.0.0:{}", words[2])).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = write!(stream, "HTTP/1.1 200 OK\\r\\nContent-Length: {}\\r\\n\\r\\n{}", page.len(), page);
    }
}
"""
# The fixture `engine` removes the images of this namespace.
NAMESPACE, NAME = f"{project.NAMESPACE}/own", run.name("own")


@pytest.fixture
def index(engine, tmp_path):
    """An index of crates that has ours alone."""
    folder = tmp_path / "index"
    folder.mkdir()
    crate = crates.Crate(name="microserver", version="0.2.1", files={"src/main.rs": SERVER})
    with crates.index(engine, folder, crate) as url:
        yield url


@pytest.fixture
def port(engine):
    """A port that the system gives, on the machine where the engine is."""
    assert engine.ping()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.nightly
def test_every_step_of_the_page(debian_root, index, port, tmp_path):
    assert debian_root
    folder, said = tmp_path, collections.defaultdict(list)

    def ours(text: str) -> str:
        # Names of the engine and the port belong to all who use it.
        text = text.replace('"example"', f'"{NAMESPACE}"').replace("example/", f"{NAMESPACE}/")
        text = text.replace(":8080:", f":{port}:").replace("127.0.0.1:8080/ ", f"127.0.0.1:{port}/ ")
        return re.sub(r"(--name|--force) web", rf"\1 {NAME}", text)

    for name, text in documentation.steps(PAGE):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            mirrors = f'\n[mirrors]\ncrates = "{index}"\n' if name == "baker.toml" else ""
            (folder / name).write_text(ours(text) + mirrors)
            continue
        for line in text.splitlines():
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
                continue
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path, "COMPOSE_PROJECT_NAME": NAME}
            done = subprocess.run(
                ["bash", "-c", ours(f"{line} ")],
                cwd=folder,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said[line.split(" --")[0]].append(done.stdout + done.stderr)
    text = PAGE.read_text(encoding="utf-8")
    # What the page shows of the output is what there was, but for digests, sizes and times.
    for line in (
        "crate microserver none → 0.2.1",
        "crate moshi-server is pinned no longer: no service bakes it",
        "moshi-server/uv.lock is pinned no longer",
    ):
        assert line in text
        assert line in said["baker lock"][0]
    first, second = said["baker plan web"]
    assert " binary-microserver-cpu " in first
    assert re.findall(r"^ build +(\S+)", second, re.MULTILINE) == ["web"]
    assert "Hello again." in said["curl"][0]
