"""apt's sources behind TLS of their own authority and a password: in the steps of a build, and while a root is made."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import socket
import ssl
import subprocess
import tarfile
import uuid
from functools import partial

import pytest

from baker.build import root_image
from baker.config.platforms import AMD64
from baker.dockerfile import render
from tests.docker import crates

PASSWORD = f"canary{uuid.uuid4().hex}"
# The macro that every step with packages comes from, in a Dockerfile with one source.
DOCKERFILE = """{%% import "macros.j2" as m with context -%%}
FROM %(root)s
RUN echo 'deb [trusted=yes] %(url)s ./' > /etc/apt/sources.list && rm -f /etc/apt/sources.list.d/*
{{ m.apt(["baker-hello"]) }}
"""
SECRETS = ("ca", "netrc")


class Private(crates.Quiet):
    """Serves files to who knows the password."""

    # apt takes an end of the connection without the end of TLS, which HTTP/1.0 comes to, for an error.
    protocol_version = "HTTP/1.1"

    def send_head(self):
        if self.headers["Authorization"] != f"Basic {base64.b64encode(f'me:{PASSWORD}'.encode()).decode()}":
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return super().send_head()


def tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def package(control: str, files: dict[str, bytes]) -> bytes:
    """Return a .deb: an ar archive of three members (https://manpages.debian.org/deb.5)."""
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": tar({"control": control.encode()}),
        "data.tar.gz": tar(files),
    }
    found = b"!<arch>\n"
    for name, content in members.items():
        found += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        found += b"\n" * (len(content) % 2)
    return found


@pytest.fixture
def packages(tmp_path):
    """Return the folder of an archive with one package."""
    folder = tmp_path / "archive"
    folder.mkdir()
    control = "Package: baker-hello\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n"
    content = package(control, {"baker-hello": b"hello from the mirror\n"})
    (folder / "hello.deb").write_bytes(content)
    index = f"{control}Filename: ./hello.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
    (folder / "Packages.gz").write_bytes(gzip.compress(index.encode()))
    return folder


@pytest.fixture
def archive(engine, packages, tmp_path):
    """Serve that archive; yield its address and the files of the secrets."""
    gateway = crates.gateway(engine)
    key, bundle, netrc = tmp_path / "key.pem", tmp_path / "ca.pem", tmp_path / "netrc"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=archive"]
    files = ["-addext", f"subjectAltName=IP:{gateway}", "-keyout", str(key), "-out", str(bundle)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    netrc.write_text(f"machine {gateway} login me password {PASSWORD}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, key)
    with crates.served(engine, partial(Private, directory=str(packages)), context=context) as url:
        yield url, {"ca": bundle, "netrc": netrc}


def prepare(folder, root: str, url: str, secrets) -> list[str]:
    """Write the context of a build; return the build's command, which writes root.tar."""
    text = render.templates().from_string(DOCKERFILE % {"root": root, "url": url})
    folder.mkdir(exist_ok=True)
    (folder / "scripts").mkdir(exist_ok=True)
    values = {"distribution": f"test-{uuid.uuid4().hex}", "link": False, "platform": AMD64}
    (folder / "Dockerfile").write_text(text.render(d=values))
    script = folder / "scripts/install-packages"
    script.write_bytes((render.TEMPLATES / "scripts/install-packages").read_bytes())
    script.chmod(0o755)
    given = [f"--secret=id={name},src={path}" for name, path in secrets.items()]
    output = f"--output=type=tar,dest={folder}/root.tar"
    return ["docker", "buildx", "build", "--progress=plain", *given, output, str(folder)]


def build(folder, root: str, url: str, secrets) -> subprocess.CompletedProcess[str]:
    return subprocess.run(prepare(folder, root, url, secrets), capture_output=True, text=True, check=False)


def test_apt_in_a_build_has_the_authority_and_the_login(archive, debian_root, tmp_path):
    url, secrets = archive
    done = build(tmp_path / "context", debian_root, url, secrets)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "context/root.tar") as found:
        names = found.getnames()
    assert "baker-hello" in names
    assert not [name for name in names if name.startswith("run/") and name != "run/lock"]
    assert PASSWORD.encode() not in (tmp_path / "context/root.tar").read_bytes()
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize(("missing", "said"), [("ca", "certificate"), ("netrc", "401")])
def test_apt_in_a_build_without_one_of_them(archive, debian_root, tmp_path, missing, said):
    url, secrets = archive
    done = build(tmp_path / "context", debian_root, url, {name: secrets[name] for name in SECRETS if name != missing})
    assert done.returncode != 0
    assert said in done.stderr


def test_an_archive_that_does_not_answer_is_asked_again(engine, packages, debian_root, tmp_path):
    with socket.create_server((crates.gateway(engine), 0)) as unused:
        port = unused.getsockname()[1]
    command = prepare(tmp_path / "context", debian_root, f"http://{crates.gateway(engine)}:{port}", {})
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as building:
        assert building.stderr is not None
        said = []
        for line in building.stderr:
            said.append(line)
            if "the archive does not answer; again in 5 s" in line:
                break
        with crates.served(engine, partial(crates.Quiet, directory=str(packages)), port):
            said += building.stderr
    assert building.returncode == 0, "".join(said)
    with tarfile.open(tmp_path / "context/root.tar") as found:
        assert "baker-hello" in found.getnames()


def test_a_package_that_there_is_not_is_not_asked_for_again(engine, packages, debian_root, tmp_path):
    (packages / "Packages.gz").write_bytes(gzip.compress(b""))
    with crates.served(engine, partial(crates.Quiet, directory=str(packages))) as url:
        done = build(tmp_path / "context", debian_root, url, {})
    assert done.returncode != 0
    assert "Unable to locate package baker-hello" in done.stderr
    assert "does not answer" not in done.stderr


def test_a_root_is_made_with_them_and_keeps_neither(tmp_path):
    """What mmdebstrap runs before it downloads, and after."""
    root, given = tmp_path / "root", {name: tmp_path / name for name in SECRETS}
    for path in (root / "etc/apt", *given.values()):
        path.mkdir(parents=True) if path.name == "apt" else path.write_text(PASSWORD)
    before = sorted(root.rglob("*"))
    environment = {**os.environ, **{f"BAKER_{name.upper()}": str(path) for name, path in given.items()}}
    hooks = sorted(root_image.HOOKS.glob("setup*")), sorted(root_image.HOOKS.glob("customize*"))
    for hook in hooks[0]:
        subprocess.run([hook, root], check=True, env=environment)
    config = (root / "etc/apt/apt.conf.d/baker-ca").read_text()
    assert config == f'Acquire::https::CAInfo "{root}/etc/apt/baker-ca.pem";\n'
    netrc = root / "etc/apt/auth.conf.d/baker.conf"
    assert (netrc.read_text(), netrc.stat().st_mode & 0o777) == (PASSWORD, 0o600)
    for hook in hooks[1]:
        subprocess.run([hook, root], check=True, env=environment)
    assert [path for path in sorted(root.rglob("*")) if path.is_file()] == [path for path in before if path.is_file()]
    assert all(os.access(hook, os.X_OK) for hook in (*hooks[0], *hooks[1])), "mmdebstrap runs no other"
