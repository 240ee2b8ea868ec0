"""The commands that README and docs show, run as they stand there: their names of registries become the tests' own.

What runs here is what stands in a block of shell. A small crate stands in for moshi-server.
"""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from tests import documentation
from tests.docker import publishing, pulling
from tests.docker.project import CRATE, NAMESPACE, SERVICE, Project

# What other tests run, by the beginning of the command: with a second engine or builder, or for minutes.
ELSEWHERE = {
    "baker bench": "test_bench.py",
    "baker --context": "test_remote.py",
    "baker build stt tts --builder": "test_remote.py",
    "baker publish stt tts --builder": "test_remote.py",
    "baker build stt tts --reproducible": "test_reproducible.py",
    "HTTPS_PROXY=": "test_proxies.py",
    "baker models pull stt tts --volume": "test_pull_volume.py",
    # It would be the cache of the user's own user.
    "baker models pull stt tts --check": "test_pull_cache.py",
    # Only with a compiler for cards.
    "baker build stt --compute-cap": "../e2e/test_images.py",
    "baker smoke": "../e2e/test_smoke.py",
    # It takes images of moshi-server.
    "baker try": "../e2e/test_try.py",
    # What it says of this machine is its exit code; --fix would install programs.
    "baker doctor": "test_doctor.py",
    # Its bars are drawn with blocks, in a pipe too.
    "baker report": "../e2e/test_report.py",
    # What is here, and in a registry on the internet.
    "baker fit": "../unit/build/test_fit.py",
    # An arm64 root and its packages take minutes by emulation: once is enough.
    "baker build stt --platform": "test_platforms.py",
    "baker build stt tts --platform": "test_platforms.py",
    "baker build stt --cuda 13.0 --compute-cap": "test_platforms.py",
    "baker publish stt --platform": "test_platforms.py",
    # Other tests count on the layers.
    "baker cache prune --keep": "test_cache_prune.py",
}
# In the order in which they can be run: "" is any other.
ORDER = ("init", "build", "publish", "", "promote", "rollback", "lock")
CONFIG = (documentation.ROOT / "services/stt/configs/stt.toml").read_text()


def lines() -> list[str]:
    # docs/commands.md has the examples of --help, with registries of their own; a unit test looks at their options.
    # docs/own-service.md has a test of its own, since its commands build on each other.
    pages = [page for page in documentation.PAGES if page.name not in ("commands.md", "own-service.md")]
    found = {line for page in pages for line in documentation.blocks(page)}
    own = [
        line
        for line in found
        if documentation.COMMAND.match(line) and not line.removeprefix(".venv/bin/").startswith(tuple(ELSEWHERE))
    ]
    return sorted(own, key=lambda line: (_turn(line), "--cache-from" in line, line))


def _turn(line: str) -> int:
    verb = line.partition("baker ")[2].partition(" ")[0]
    return ORDER.index(verb if verb in ORDER else "")


@pytest.fixture(scope="module")
def documented(make_project, tmp_path_factory, keys, with_skopeo, registry):
    """A project with services of the names that the pages use, a hub, and the tests' registry."""
    assert with_skopeo is None
    project: Project = make_project()
    shutil.rmtree(project.root / "services/hello")
    for service in ("stt", "tts"):
        project.write(f"services/{service}/service.toml", SERVICE.replace("motd", "configs"))
        project.write(f"services/{service}/configs/{service}.toml", CONFIG)
    compose = (documentation.ROOT / "docker-compose.yml").read_text()
    project.write("docker-compose.yml", compose.replace(":-baker/", f":-{NAMESPACE}/{project.root.name}/"))
    for name in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / name, project.root)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    home = f"{registry}/baker-test/{project.root.name}"
    with pulling.served() as hub:
        yield project, home, {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path_factory.mktemp("models"))}


@pytest.mark.nightly
@pytest.mark.parametrize("line", lines(), ids=lambda line: line.partition(" #")[0].strip())
def test_a_command_of_the_pages(documented, line):
    project, home, environment = documented
    text = line.replace("registry.example.com/speech", home).replace("/srv/models", environment["HF_HOME"])
    text = re.sub(r"0\.6\.4-cuda\S+-sm80", publishing.VERSION_TAG, text).replace("moshi-server", CRATE)
    if "sha256:…" in text:
        with publishing.anonymous().repository(f"{home}/stt") as repository:
            text = text.replace("sha256:…", (repository.find("latest") or pytest.fail("not published")).digest)
    if line.startswith("baker rollback"):
        project.write("services/stt/configs/more.toml", CONFIG)
        again = project.baker("publish", "stt", "--registry", home, "--release", **publishing.PASSWORD)
        assert again.returncode == 0, again.stderr
    words = shlex.split(text, comments=True)
    if ">" in words:
        words = words[: words.index(">")]
    done = project.baker(*words[1:], **environment, **publishing.PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    assert documentation.PLAIN.fullmatch(done.stdout + done.stderr), "a pipe gets plain lines"
    assert "Traceback" not in done.stderr


def test_what_runs_elsewhere_is_shown_and_has_a_test():
    found = {line.removeprefix(".venv/bin/") for page in documentation.PAGES for line in documentation.shown(page)}
    for beginning, where in ELSEWHERE.items():
        assert any(line.startswith(beginning) for line in found), beginning
        assert (documentation.ROOT / "tests/docker" / where).exists()
