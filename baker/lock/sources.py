"""The sources of pins: where the newest version of each outside thing is looked up."""

from __future__ import annotations

import email.utils
import hashlib
import json
import lzma
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from baker.config import platforms
from baker.config.pins import CratePin
from baker.dockerfile.bases import mirrored, newer
from baker.errors import LockError, NetworkError
from baker.registry.references import Reference

if TYPE_CHECKING:
    from baker.config.settings import Mirrors
    from baker.registry.client import Registries
    from baker.system.http import Http

CRATES_INDEX = "https://index.crates.io/"
PYPI_SIMPLE = "https://pypi.org/simple/"
RUST_DIST = "https://static.rust-lang.org"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
SHORT, MIDDLE = 2, 3


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the newest versions are looked up: mirrors, and how they are reached."""

    mirrors: Mirrors
    web: Http
    registries: Registries

    def crate(self, name: str, *, only: str = "", rust: str = "") -> dict[str, str]:
        """Return the version and sha256 of the newest release of a crate that a Rust compiles, from a sparse index.

        `only` names a version in place of the newest.
        """
        found = latest(self._index(name), name, only=only, rust=rust)
        wants = {"rust": found.rust} if found.rust else {}
        return {"version": found.version, "sha256": found.sha256, **wants}

    def archive(self, name: str, pin: CratePin) -> bytes:
        """Return the .crate file of a release, whose sum is the pinned one.

        Raises:
            NetworkError: the registry has another file under that name.
        """
        index = (self.mirrors.crates or CRATES_INDEX).rstrip("/")
        dl = str(self.web.get(f"{index}/config.json").json().get("dl", ""))
        url = dl if "{" in dl else f"{dl}/{{crate}}/{{version}}/download"
        known = {
            "crate": name,
            "version": pin.version,
            "prefix": prefix(name),
            "lowerprefix": prefix(name.lower()),
            "sha256-checksum": pin.sha256,
        }
        for key, value in known.items():
            url = url.replace(f"{{{key}}}", value)
        content = self.web.get(url).content
        if hashlib.sha256(content).hexdigest() != pin.sha256:
            raise NetworkError(f"{url} is not the {name} {pin.version} that is pinned: its sha256 is another")
        return content

    def crate_before(self, name: str, version: str) -> CratePin:
        """Return the newest release of a crate that is older than a version, from a sparse index."""
        return latest(self._index(name), name, below=version)

    def uv(self) -> dict[str, str]:
        """Return the newest uv's version and its wheel's sha256 for each platform, from a Python index (PEP 691)."""
        url = (self.mirrors.pypi or PYPI_SIMPLE).rstrip("/") + "/uv/"
        files = self.web.get(url, {"Accept": SIMPLE_JSON}).json()["files"]
        sums: dict[str, dict[str, str]] = {}
        for item in files:
            _, version, *_, tags = item["filename"].split("-")
            platform = next((each for each in platforms.ALL if tags == each.wheel), None)
            if platform and not item.get("yanked") and not Version(version).is_prerelease:
                sums.setdefault(version, {})[f"sha256-{platform.architecture}"] = item["hashes"]["sha256"]
        whole = [version for version, found in sums.items() if len(found) == len(platforms.ALL)]
        if not whole:
            raise LockError(
                f"{url} has no uv with a wheel for each of {', '.join(each.name for each in platforms.ALL)}"
            )
        best = max(whole, key=Version)
        return {"version": best, **dict(sorted(sums[best].items()))}

    def rust(self) -> dict[str, str]:
        """Return the stable toolchain, and rustup-init's version and its sha256 for each platform."""
        at = (self.mirrors.rust or RUST_DIST).rstrip("/")
        channel = _toml(self.web.text(f"{at}/dist/channel-rust-stable.toml"), "the Rust channel")
        release = _toml(self.web.text(f"{at}/rustup/release-stable.toml"), "rustup's release")["version"]
        sums = {
            f"rustup-sha256-{each.architecture}": self.web.text(
                f"{at}/rustup/archive/{release}/{each.rust}/rustup-init.sha256"
            ).split()[0]
            for each in platforms.ALL
        }
        return {"toolchain": channel["pkg"]["rust"]["version"].split()[0], "rustup": release, **sums}

    def image(self, name: str) -> str:
        """Return NAME:TAG@DIGEST with the digest that the tag has in the registry now.

        Raises:
            LockError: the registry does not have the tag.
        """
        tagged = name.partition("@")[0]
        reference = Reference.parse(mirrored(tagged, self.mirrors.registry))
        with self.registries.repository(reference) as repository:
            digest = repository.digest(reference.pointer)
        if not digest:
            raise LockError(f"{reference.registry} has no image {reference}; baker.lock [nvidia] names it")
        return f"{tagged}@{digest}"

    def debian(self, suite: str) -> dict[str, str]:
        """Return a suite's CUDA and Rust releases, and the time of its newest change as snapshot.debian.org has it."""
        if "{snapshot}" in self.mirrors.debian + self.mirrors.debian_security:
            raise NetworkError(
                "[mirrors] debian is a snapshot, which has no newest state; set [debian] snapshot by hand"
            )
        archive, security = self.mirrors.debian.rstrip("/"), self.mirrors.debian_security.rstrip("/")
        suites = [f"{archive}/dists/{suite}", f"{archive}/dists/{suite}-updates", f"{security}/dists/{suite}-security"]
        dates = [
            email.utils.parsedate_to_datetime(_field(self.web.text(f"{url}/InRelease"), "Date", url)) for url in suites
        ]
        rust = self._release(f"{archive}/dists/{suite}/main", "rustc")
        return {
            "suite": suite,
            "snapshot": max(dates).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
            "cuda": self._release(f"{archive}/dists/{suite}/non-free", "nvidia-cuda-toolkit"),
            "rust": rust,
            **self._backports(f"{archive}/dists/{suite}-backports/main", rust),
        }

    def _backports(self, component: str, rust: str) -> dict[str, str]:
        """Return the Rust release of a suite's backports where it is newer than the suite's own."""
        try:
            found = self._release(component, "rustc")
        except LockError:
            # There are no backports, they have no Rust, or not the same one for every platform yet.
            return {}
        return {"rust-backports": found} if newer(found, rust) else {}

    def _index(self, name: str) -> str:
        return self.web.text((self.mirrors.crates or CRATES_INDEX).rstrip("/") + "/" + index_path(name))

    def _release(self, component: str, package: str) -> str:
        """Return the X.Y of a package, which has to be that of every platform."""
        found = {
            each.name: self._packaged(f"{component}/binary-{each.architecture}/Packages.xz", package)
            for each in platforms.ALL
        }
        releases = {name: ".".join(version.split(".")[:2]) for name, version in found.items()}
        if len(set(releases.values())) > 1:
            told = ", ".join(f"{release} for {name}" for name, release in releases.items())
            raise LockError(f"{component} has {package} {told}: images of both could not have one version")
        return next(iter(releases.values()))

    def _packaged(self, url: str, package: str) -> str:
        """Return the version of a package in a Packages.xz, without its epoch."""
        try:
            listing = lzma.decompress(self.web.get(url).content).decode(errors="replace")
        except lzma.LZMAError as error:
            raise NetworkError(f"{url} is no xz file") from error
        found = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (?:\d+:)?(\S+)", listing, re.MULTILINE)
        if not found:
            raise LockError(f"{url} has no package {package}")
        return found[1]


def latest(entries: str, name: str, *, below: str = "", only: str = "", rust: str = "") -> CratePin:
    """Return the newest release in a crate's index entries, one JSON object to a line.

    `below` leaves out that version and all newer ones, `only` all but that one; `rust` leaves out those that want a
    newer Rust. What the crate's own dependencies want is in none of its entries.
    """
    releases = [json.loads(line) for line in entries.splitlines() if line.strip()]
    legal = [item for item in releases if not item["yanked"] and "-" not in item["vers"]]
    if only:
        # What is named may be a prerelease.
        legal = [item for item in releases if item["vers"] == only]
    if below:
        legal = [item for item in legal if _numbers(item["vers"]) < _numbers(below)]
    if not legal:
        which = f" before {below}" if below else f" {only}" if only else ""
        raise LockError(f"the index has no release of the crate {name}{which}")
    able = [item for item in legal if not rust or _numbers(item.get("rust_version") or "0") <= _numbers(rust)]
    if not able:
        wanted = min((item["rust_version"] for item in legal), key=_numbers)
        raise LockError(
            f"no release of the crate {name} compiles with Rust {rust}, which the base has: one wants Rust {wanted} at "
            "least; run `baker lock --upgrade debian --upgrade rust` to look for a newer one, or set base in "
            "baker.toml, [build], to the base that has it"
        )
    best = able[0] if only else max(able, key=lambda item: _numbers(item["vers"]))
    return CratePin(version=best["vers"], sha256=best["cksum"], rust=best.get("rust_version") or "")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split("+", maxsplit=1)[0].split(".")]


def index_path(name: str) -> str:
    """Return where a sparse index keeps a crate, as in "mo/sh/moshi-server"."""
    return f"{prefix(name.lower())}/{name.lower()}"


def prefix(name: str) -> str:
    """Return the folders that spread crates by their names, as in "mo/sh"."""
    if len(name) <= SHORT:
        return str(len(name))
    return f"3/{name[0]}" if len(name) == MIDDLE else f"{name[:2]}/{name[2:4]}"


def _field(text: str, name: str, where: str) -> str:
    found = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    if not found:
        raise NetworkError(f"{where}/InRelease has no {name}")
    return found[1]


def _toml(text: str, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworkError(f"{what} is no TOML: {error}") from error
