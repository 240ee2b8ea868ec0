"""The sources of pins: where the newest version of each outside thing is looked up. One function for each."""

from __future__ import annotations

import email.utils
import json
import lzma
import re
import tomllib
from datetime import UTC
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from baker import run, web
from baker.errors import CommandError, LockError, NetworkError
from baker.pins import CratePin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.settings import Mirrors

CRATES_INDEX = "https://index.crates.io/"
PYPI_SIMPLE = "https://pypi.org/simple/"
RUST_DIST = "https://static.rust-lang.org"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
WHEEL_PLATFORM = "manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
UNAUTHORIZED = 401
SHORT, MIDDLE = 2, 3


def crate(name: str, mirrors: Mirrors) -> dict[str, str]:
    """Return the version and sha256 of a crate's newest release, from a sparse index."""
    url = (mirrors.crates or CRATES_INDEX).rstrip("/") + "/" + index_path(name)
    version, sha256 = latest(web.text(url), name)
    return {"version": version, "sha256": sha256}


def crate_before(name: str, version: str, mirrors: Mirrors) -> CratePin:
    """Return the newest release of a crate that is older than a version, from a sparse index."""
    url = (mirrors.crates or CRATES_INDEX).rstrip("/") + "/" + index_path(name)
    older, sha256 = latest(web.text(url), name, below=version)
    return CratePin(version=older, sha256=sha256)


def latest(entries: str, name: str, *, below: str = "") -> tuple[str, str]:
    """Return (version, sha256) of the newest release in a crate's index entries, one JSON object to a line.

    `below` leaves out that version and all newer ones.
    """
    releases = [json.loads(line) for line in entries.splitlines() if line.strip()]
    legal = [item for item in releases if not item["yanked"] and "-" not in item["vers"]]
    if below:
        legal = [item for item in legal if _numbers(item["vers"]) < _numbers(below)]
    if not legal:
        raise LockError(f"the index has no release of the crate {name}" + (f" before {below}" if below else ""))
    best = max(legal, key=lambda item: _numbers(item["vers"]))
    return best["vers"], best["cksum"]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split("+", maxsplit=1)[0].split(".")]


def index_path(name: str) -> str:
    """Return where a sparse index keeps a crate, as in "mo/sh/moshi-server"."""
    lower = name.lower()
    if len(lower) <= SHORT:
        return f"{len(lower)}/{lower}"
    return f"3/{lower[0]}/{lower}" if len(lower) == MIDDLE else f"{lower[:2]}/{lower[2:4]}/{lower}"


def uv(mirrors: Mirrors) -> dict[str, str]:
    """Return the version and the wheel's sha256 of the newest uv, from a Python package index (PEP 691)."""
    url = (mirrors.pypi or PYPI_SIMPLE).rstrip("/") + "/uv/"
    files = _json(web.text(url, {"Accept": SIMPLE_JSON}), url)["files"]
    wheels = [item for item in files if item["filename"].endswith(WHEEL_PLATFORM) and not item.get("yanked")]
    released = [item for item in wheels if not Version(item["filename"].split("-")[1]).is_prerelease]
    if not released:
        raise LockError(f"{url} has no wheel of uv for x86-64 Linux")
    best = max(released, key=lambda item: Version(item["filename"].split("-")[1]))
    return {"version": best["filename"].split("-")[1], "sha256": best["hashes"]["sha256"]}


def python(version: str) -> dict[str, str]:
    """Return X.Y and the newest X.Y.Z of it that uv can install. uv has that list in itself."""
    argv = [uv_program(), "python", "list", version, "--only-downloads", "--all-versions", "--output-format=json"]
    found = [item for item in json.loads(run.capture(argv)) if item["variant"] == "default"]
    stable = [item["version"] for item in found if item["arch"] == "x86_64" and item["libc"] == "gnu"]
    legal = [Version(text) for text in stable if not Version(text).is_prerelease]
    if not legal:
        raise LockError(f"uv can install no CPython {version}: does [python] version in baker.lock say X.Y?")
    return {"version": version, "managed": str(max(legal))}


def rust(mirrors: Mirrors) -> dict[str, str]:
    """Return the stable toolchain, and rustup-init's version and sha256."""
    at = (mirrors.rust or RUST_DIST).rstrip("/")
    channel = _toml(web.text(f"{at}/dist/channel-rust-stable.toml"), "the Rust channel")
    release = _toml(web.text(f"{at}/rustup/release-stable.toml"), "rustup's release")["version"]
    checksum = web.text(f"{at}/rustup/archive/{release}/x86_64-unknown-linux-gnu/rustup-init.sha256").split()[0]
    return {
        "toolchain": channel["pkg"]["rust"]["version"].split()[0],
        "rustup": release,
        "rustup-sha256": checksum,
    }


def image(reference: str, mirrors: Mirrors) -> str:
    """Return NAME:TAG@DIGEST with the digest that the tag has in the registry now."""
    name, _, tag = reference.partition("@")[0].partition(":")
    prefix = mirrors.registry.strip("/")
    host, _, folder = prefix.partition("/") if prefix else (web.DOCKER_HUB, "", "")
    path = f"{folder}/{name}" if folder else name
    url, headers = f"{web.registry(host)}{path}/manifests/{tag}", {"Accept": MANIFESTS}
    try:
        answer = web.head(url, headers)
    except web.RefusedError as refused:
        if refused.code != UNAUTHORIZED:
            raise
        answer = web.head(url, {**headers, "Authorization": f"Bearer {_token(refused, path)}"})
    digest = answer.get("Docker-Content-Digest")
    if not digest:
        raise NetworkError(f"{url} names no digest")
    return f"{name}:{tag}@{digest}"


def _token(refused: web.RefusedError, path: str) -> str:
    """Return an anonymous token, from where the registry says (distribution's token authentication)."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', refused.headers.get("WWW-Authenticate", "")))
    if "realm" not in asked:
        raise refused
    url = f"{asked['realm']}?service={asked.get('service', '')}&scope=repository:{path}:pull"
    answer = _json(web.text(url), url)
    return str(answer.get("token") or answer.get("access_token") or "")


def debian(suite: str, mirrors: Mirrors) -> dict[str, str]:
    """Return a suite's CUDA and Rust releases, and the time of its newest change as snapshot.debian.org writes it."""
    if "{snapshot}" in mirrors.debian + mirrors.debian_security:
        raise NetworkError("[mirrors] debian is a snapshot, which has no newest state; set [debian] snapshot by hand")
    archive, security = mirrors.debian.rstrip("/"), mirrors.debian_security.rstrip("/")
    releases = [f"{archive}/dists/{suite}", f"{archive}/dists/{suite}-updates", f"{security}/dists/{suite}-security"]
    dates = [email.utils.parsedate_to_datetime(_field(web.text(f"{url}/InRelease"), "Date", url)) for url in releases]
    cuda = _packaged(f"{archive}/dists/{suite}/non-free/binary-amd64/Packages.xz", "nvidia-cuda-toolkit")
    rustc = _packaged(f"{archive}/dists/{suite}/main/binary-amd64/Packages.xz", "rustc")
    return {
        "suite": suite,
        "snapshot": max(dates).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
        "cuda": ".".join(cuda.split(".")[:2]),
        "rust": ".".join(rustc.split(".")[:2]),
    }


def uv_program() -> str:
    """Return the path of the uv that baker depends on."""
    from uv import find_uv_bin  # noqa: PLC0415 - only `baker lock` needs it

    return str(find_uv_bin())


def relock(folder: str, upgrade: Sequence[str]) -> None:
    """Let uv bring the uv.lock of a folder up to date.

    Raises:
        NetworkError: an index cannot be reached.
        LockError: there is no solution, or pyproject.toml is wrong.
    """
    wanted = [f"--upgrade-package={name}" for name in upgrade]
    try:
        run.capture([uv_program(), "lock", "--project", folder, *wanted])
    except CommandError as error:
        if re.search(r"client error|dns error|Connection|timed out|Request failed|offline", error.tail):
            raise NetworkError(error.tail.strip().splitlines()[-1].strip()) from error
        raise LockError(error.tail) from error


def _packaged(url: str, package: str) -> str:
    """Return the version of a package in a Packages.xz, without its epoch."""
    try:
        listing = lzma.decompress(web.content(url)).decode(errors="replace")
    except lzma.LZMAError as error:
        raise NetworkError(f"{url} is no xz file") from error
    found = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (?:\d+:)?(\S+)", listing, re.MULTILINE)
    if not found:
        raise LockError(f"{url} has no package {package}")
    return found[1]


def _field(text: str, name: str, where: str) -> str:
    found = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    if not found:
        raise NetworkError(f"{where}/InRelease has no {name}")
    return found[1]


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NetworkError(f"{where} answers with something that is no JSON") from error
    if not isinstance(found, dict):
        raise NetworkError(f"{where} answers with JSON of another shape")
    return found


def _toml(text: str, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworkError(f"{what} is no TOML: {error}") from error
