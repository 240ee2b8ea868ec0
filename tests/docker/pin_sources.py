"""A server that stands in for every source of pins: crates, PyPI, Rust, Debian, and a registry that wants a token."""

from __future__ import annotations

import hashlib
import http.server
import json
import lzma
from pathlib import Path

from msgspec.structs import replace

from baker.config import project
from baker.config.platforms import AMD64, ARM64

MIRRORS = project.find(Path("/")).read_settings().mirrors
RELEASE = "Origin: Debian\nSuite: stable\nDate: {}\nArchitectures: amd64\n"
PACKAGES = "Package: {0}-doc\nVersion: 9.9-1\n\nPackage: {0}\nArchitecture: amd64\nVersion: 1:{1}\nDepends: a\n\n"
DIGEST = "sha256:" + "ab" * 32


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


GOOD: dict[str, str | bytes | int] = {
    "/index/th/in/thing": json.dumps({"vers": "1.2.0", "cksum": "cc" * 32, "yanked": False}),
    "/simple/uv/": json.dumps(
        {
            "files": [
                {"filename": f"uv-{version}-py3-none-{platform}", "hashes": {"sha256": sha(version + platform)}}
                for version in ("0.9.9", "0.10.1", "0.11.0rc1")
                for platform in (AMD64.wheel, ARM64.wheel, "win_amd64.whl")
            ]
            # Still on its way to the index.
            + [{"filename": f"uv-0.12.0-py3-none-{AMD64.wheel}", "hashes": {"sha256": sha("0.12.0")}}]
        }
    ),
    "/rust/dist/channel-rust-stable.toml": '[pkg.rust]\nversion = "1.90.0 (1159e78c4 2025-09-14)"\n',
    "/rust/rustup/release-stable.toml": "schema-version = '1'\nversion = '1.30.0'\n",
    "/rust/rustup/archive/1.30.0/x86_64-unknown-linux-gnu/rustup-init.sha256": f"{'d' * 64} *rustup-init\n",
    "/rust/rustup/archive/1.30.0/aarch64-unknown-linux-gnu/rustup-init.sha256": f"{'e' * 64} *rustup-init\n",
    "/debian/dists/trixie/InRelease": RELEASE.format("Sat, 21 Nov 2026 09:15:44 UTC"),
    "/debian/dists/trixie-updates/InRelease": RELEASE.format("Sun, 22 Nov 2026 19:58:57 UTC"),
    "/security/dists/trixie-security/InRelease": RELEASE.format("Mon, 23 Nov 2026 02:09:33 UTC"),
    **{
        f"/debian/dists/trixie/{component}/binary-{each.architecture}/Packages.xz": lzma.compress(
            PACKAGES.format(package, version).encode()
        )
        for each in (AMD64, ARM64)
        for component, package, version in (
            ("main", "rustc", "1.85.0+x"),
            ("non-free", "nvidia-cuda-toolkit", "12.4.131~12.4.1-8"),
        )
    },
    "/token?service=hub&scope=repository%3Ahub%2Fnvidia%2Fcuda%3Apull": json.dumps({"token": "anonymous"}),
}


class Server(http.server.ThreadingHTTPServer):
    """Serves what `content` holds; a number there is the status of an error."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = dict(GOOD)

    @property
    def mirrors(self):
        at = f"http://127.0.0.1:{self.server_port}"
        return replace(
            MIRRORS,
            registry=f"127.0.0.1:{self.server_port}/hub",
            debian=f"{at}/debian",
            debian_security=f"{at}/security",
            crates=f"{at}/index/",
            pypi=f"{at}/simple/",
            rust=f"{at}/rust",
        )


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        found = self.server.content.get(self.path, 404)
        self.send_response(found if isinstance(found, int) else 200)
        body = b"" if isinstance(found, int) else found.encode() if isinstance(found, str) else found
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        """A registry: it wants a token first."""
        known = self.headers.get("Authorization") == "Bearer anonymous"
        self.send_response(200 if known else 401)
        if known:
            self.send_header("Docker-Content-Digest", DIGEST)
        else:
            realm = f"http://127.0.0.1:{self.server.server_port}/token"
            self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="hub"')
        self.end_headers()

    def log_message(self, *_):
        pass
