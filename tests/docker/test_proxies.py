"""A build behind a proxy: an index that nothing but the proxy can find."""

from __future__ import annotations

import http.server
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.docker import crates
from tests.docker.greeter import saying
from tests.docker.project import CRATE, SERVICE, failure

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = "canaryCanaryCANARY"


class Proxy(http.server.BaseHTTPRequestHandler):
    """Serves a folder as the host crates.invalid, and passes on everything else."""

    folder: Path
    asked: list[tuple[str | None, str | None]]

    def do_GET(self):
        address = urlsplit(self.path)
        self.asked.append((address.hostname, self.headers["Proxy-Authorization"]))
        try:
            if address.hostname == "crates.invalid":
                content = (self.folder / address.path.lstrip("/")).read_bytes()
            else:
                with urllib.request.urlopen(self.path, timeout=60) as answer:  # noqa: S310 - what apt asks for
                    content = answer.read()
        except (OSError, urllib.error.HTTPError):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def behind(project, engine, folder):
    """Give a project a crate behind a proxy; yield the proxy's address with a login, and what it was asked."""
    greeter = saying(uuid.uuid4().hex)
    crates.lay_out(folder, "http://crates.invalid", greeter, *greeter.needs)
    asked: list[tuple[str | None, str | None]] = []
    handler = type("Handler", (Proxy,), {"folder": folder, "asked": asked})
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ncrates = "http://crates.invalid/index"\n')
    pin = f'\n[crates.{greeter.name}]\nversion = "1.0.0"\nsha256 = "{greeter.sha256}"\n'
    project.write("baker.lock", (project.root / "baker.lock").read_text() + pin)
    project.write("services/hello/service.toml", SERVICE.replace(CRATE, greeter.name))
    with crates.served(engine, handler) as url:
        yield url.replace("//", f"//me:{LOGIN}@"), asked


def test_a_build_that_finds_its_crates_through_a_proxy(project, engine, tmp_path):
    with behind(project, engine, tmp_path) as (proxy, asked):
        assert "crates.invalid" in failure(project.build(), 6)
        assert not asked
        done = project.build(http_proxy=proxy)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {host for host, _ in asked} >= {"crates.invalid"}
        assert all(login for _, login in asked)
        # Another proxy, or none, is no reason to build anything again.
        again = project.build("--force")
        assert again.returncode == 0, again.stdout + again.stderr
    image = engine.images.get(project.image)
    kept = {str(path): path.read_bytes() for path in project.root.rglob(".baker/**/*") if path.is_file()}
    told = {"image": repr([image.attrs, image.history()]).encode(), "output": (done.stdout + done.stderr).encode()}
    for where, text in {**kept, **told, "layers": b"".join(image.save())}.items():
        assert LOGIN.encode() not in text, where
