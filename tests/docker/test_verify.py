"""Each check of an image, with an image that is broken in just that way."""

from __future__ import annotations

import json
import subprocess
import uuid
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from baker import engine as engines
from baker import expected, layers, pipeline, prepare, serving, verify
from baker import project as projects
from baker.cli import options
from baker.errors import UsageError, VerifyError
from baker.registry import Repository
from tests.docker.project import CRATE, NAMESPACE, failure, furnish

TOP = Path(__file__).parents[2]
BINARY = f"/opt/baker/bin/{CRATE}-cpu"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
SITE = "/opt/venv/lib/python3*/site-packages"
COMPILERS = "/opt/nvcc /root/cargo /srv/rustc /usr/bin/cc /usr/bin/clang-19 /usr/bin/x86_64-linux-gnu-gcc-14"
CANARY = f"hf_{'Canary' * 6}"
# An image's change, the checks that then fail, and what they say. Each instruction is a layer or a setting of its own.
BROKEN = {
    "root": ("USER root", {"user"}, "runs as root"),
    "another entrypoint": ('ENTRYPOINT ["/bin/true"]', {"entrypoint"}, "/bin/true"),
    "another label": ("LABEL dev.baker.crate.version=9", {"labels"}, "crate.version='9'"),
    "a token in the environment": ("ENV HF_TOKEN=x", {"settings"}, "HF_TOKEN"),
    "a token under another name": (f"ENV OTHER={CANARY}", {"settings"}, "OTHER"),
    "a token in a label": (f"LABEL note={CANARY}", {"settings"}, "note"),
    "a password in the history": ("RUN PASSWORD=hunter2 true", {"settings"}, "looks like a secret"),
    "a password in an address": ("LABEL where=https://me:hunter2@example.com", {"settings"}, "where"),
    "a token in a file": ("COPY token /app/token", {"secrets"}, "/app/token"),
    "a token in a file that is gone": ("COPY token /app/token\nRUN rm /app/token", {"secrets"}, "/app/token"),
    "a token in a file that is another now": ("COPY token /etc/note\nRUN date > /etc/note", {"secrets"}, "/etc/note"),
    "a token in a program": (f"RUN cat /mnt/token >> {BINARY}", {"secrets"}, BINARY),
    "a private key": ("COPY key /root/id", {"secrets"}, "/root/id"),
    "a login": ("RUN mkdir /root/.docker && touch /root/.docker/config.json", {"secrets"}, "config.json"),
    "a login of another user": ("RUN mkdir /srv/me && touch /srv/me/.netrc", {"secrets"}, "/srv/me/.netrc"),
    "setuid": ("RUN chmod u+s /usr/bin/su", {"setuid"}, "/usr/bin/su"),
    "setgid": ("RUN chmod g+s /usr/bin/chage", {"setuid"}, "/usr/bin/chage"),
    "a library twice": (f"RUN cp {LIBRARIES}/libcrypto.so.3 /opt/libcopy.so", {"duplicates"}, "/opt/libcopy.so"),
    "a large file twice": (
        "RUN head -c 2000000 /dev/urandom > /opt/a && cp /opt/a /srv/b",
        {"duplicates"},
        "/opt/a, /srv/b",
    ),
    "a large file shipped twice": (f"RUN chown 1000 {LIBRARIES}/libcrypto.so.3", {"shipped once"}, "libcrypto.so.3"),
    "a library gone": (f"RUN rm {LIBRARIES}/libgcc_s.so.1", {"libraries", "starts"}, "libgcc_s.so.1"),
    "a library of another program gone": (
        f"RUN rm {LIBRARIES}/libbz2.so.1.0",
        {"libraries"},
        "/usr/bin/dpkg-deb needs libbz2.so.1.0",
    ),
    "a library of the environment gone": (
        f"RUN cd {SITE} && cp /usr/bin/dpkg-deb other.so && rm {LIBRARIES}/libbz2.so.1.0",
        {"libraries"},
        "site-packages/other.so needs libbz2.so.1.0",
    ),
    "a library cut short": (
        f"RUN truncate -s 4096 {LIBRARIES}/libbz2.so.1.0",
        {"libraries"},
        "apt-cache: it is damaged",
    ),
    "a binary that fails": (f"RUN printf '#!/bin/sh\\nexit 3\\n' > {BINARY}", {"starts"}, "--help failed"),
    "a module gone": (f"RUN rm -r {SITE}/iniconfig", {"imports"}, "iniconfig"),
    "compilers": (f"RUN touch {COMPILERS} && chmod +x {COMPILERS}", {"compilers"}, COMPILERS.replace(" ", ", ")),
}
START = "/app/start.sh"
SERVING = {
    "a start that ends": (f"RUN printf '#!/bin/sh\\necho no luck >&2; exit 3\\n' > {START}", {"serves"}, "no luck"),
    "an entrypoint that is not there": ('ENTRYPOINT ["/none"]', {"serves"}, "/none"),
    "no config": ("RUN rm /app/configs/stt.toml", {"serves"}, "/app/configs/stt.toml"),
    "another port": ("EXPOSE 9000\nCMD []", {"serves"}, "does not listen"),
    "a start that writes": (
        f"RUN chmod 777 /app && sed -i '2i touch /app/pid || exit 1' {START}",
        {"hardened"},
        "Read-only file system",
    ),
    "a start that wants a network": (
        f"RUN sed -i '2i grep -q eth0 /proc/net/dev || {{ echo no network; exit 1; }}' {START}",
        {"hardened"},
        "no network",
    ),
    "no health check": ("HEALTHCHECK NONE", {"health"}, "no health check"),
    "a health check that fails": ("HEALTHCHECK --retries=1 CMD echo ill && false", {"health"}, "ill"),
    "a health check that is not there": ('HEALTHCHECK --retries=1 CMD ["/none"]', {"health"}, "/none"),
    "a dead loop that the health check does not see": (
        f"RUN sed -i '2i touch /tmp/die' {START}\nHEALTHCHECK CMD true",
        {"ready"},
        "its model loop is dead or stuck",
    ),
    "a dead loop": (f"RUN sed -i '2i touch /tmp/die' {START}", {"health", "ready"}, "its model loop is dead or stuck"),
    "no probe": ("RUN rm /opt/baker/bin/moshi-health\nHEALTHCHECK CMD true", {"ready"}, "moshi-health"),
}


@pytest.fixture(scope="module")
def whole(make_project):
    """A built project with a venv, and the plan of its image."""
    project = make_project()
    furnish(project, uuid.uuid4().hex)
    settings = (project.root / "baker.toml").read_text()
    # There is less to read then.
    project.write("baker.toml", f'{settings}compression = "gzip"\n')
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace("venv = true", 'venv = true\nimports = ["iniconfig"]'))
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    request = options.request(["hello"], projects.find(project.root).root)
    planned = prepare.make_plan(request, prepare.choice(request, "debian", link=True))
    return project, planned.services[0]


@pytest.fixture(scope="module")
def served(debian_root, engine):
    """An image with a server that stands in for moshi-server."""
    tag = f"{NAMESPACE}/served:latest"
    dockerfile = TOP / "tests/docker/health/Dockerfile"
    build = ["docker", "buildx", "build", "--load", "--target=baked", f"--build-arg=ROOT={debian_root}"]
    subprocess.run([*build, f"--tag={tag}", f"--file={dockerfile}", TOP], check=True, capture_output=True)
    yield tag
    engine.images.remove(tag)


@pytest.fixture
def changed(engine, tmp_path):
    """Change an image in a `with` block: settings stay but for what is changed, and RUN is root's for a moment."""

    @contextmanager
    def change(image, instructions):
        reference = f"{NAMESPACE}/broken:{uuid.uuid4().hex[:8]}"
        (tmp_path / "token").write_text(CANARY)
        (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n")
        lines = instructions.splitlines()
        if any(line.startswith("RUN") for line in lines):
            lines = ["USER 0:0", *lines, "USER 1000:1000"]
        text = "\n".join([f"FROM {image}", *lines, ""])
        (tmp_path / "Dockerfile").write_text(text.replace("RUN ", "RUN --mount=type=bind,target=/mnt "))
        build = ["docker", "buildx", "build", "--load", f"--tag={reference}", str(tmp_path)]
        subprocess.run(build, check=True, capture_output=True)
        try:
            yield reference
        finally:
            engine.images.remove(reference)

    return change


def failed(checks):
    return {item.name: item.detail for item in checks if not item.passed}


def test_a_whole_image_passes(whole):
    project, planned = whole
    found = verify.check(project.image, planned)
    assert failed(found) == {}
    assert {item.name for item in found if item.skipped} == set(serving.NAMES)


def test_its_labels_are_enough(whole):
    project, planned = whole
    found = verify.check_image(project.image)
    assert failed(found) == {}
    assert [item.name for item in found] == [item.name for item in verify.check(project.image, planned)]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_nothing_else(whole, changed, name):
    project, planned = whole
    change, checks, says = BROKEN[name]
    with changed(project.image, change) as reference:
        found = failed(verify.check(reference, planned, state=project.root / ".baker"))
    assert set(found) == checks, found
    assert any(says in detail for detail in found.values()), found


def test_a_whole_server_passes(served):
    found = verify.check_image(served)
    assert failed(found) == {}
    assert not [item for item in found if item.skipped]
    assert next(item for item in found if item.name == "ready").detail.endswith("/api/asr-streaming answers")


@pytest.mark.parametrize("name", SERVING)
def test_a_broken_server_is_found_and_nothing_else(served, changed, name):
    change, checks, says = SERVING[name]
    with changed(served, change) as reference:
        image = engines.image(reference)
        assert image is not None
        found = failed(serving.check(reference, image, expected.by_labels(image), seconds=30))
    assert set(found) == checks, found
    assert any(says in detail for detail in found.values()), found


def test_larger_than_its_budget(whole):
    project, planned = whole
    assert set(failed(verify.check(project.image, replace(planned, budget=1)))) == {"size"}


def test_what_service_toml_lets_pass(whole, changed):
    project, planned = whole
    change = f"RUN cp {LIBRARIES}/libcrypto.so.3 /opt/libcopy.so && rm {LIBRARIES}/libbz2.so.1.0"
    lenient = replace(planned, duplicates=("*/libc*.so*",), unresolved=("/usr/*",))
    with changed(project.image, change) as reference:
        assert set(failed(verify.check(reference, planned))) == {"duplicates", "libraries"}
        assert failed(verify.check(reference, lenient)) == {}


def test_a_compiler_that_is_asked_for(whole, changed):
    project, planned = whole
    change = "RUN ln -s /bin/false /usr/bin/g++ && ln -s /bin/false /usr/bin/cc"
    with changed(project.image, change) as reference:
        lenient = verify.check(reference, replace(planned, packages=("g++",)))
    assert "compilers" not in failed(lenient)
    assert "compiles" in failed(lenient), "this one compiles nothing"


def test_an_image_that_is_not_here(whole):
    _, planned = whole
    with pytest.raises(VerifyError, match="baker build hello"):
        verify.check("baker-test/no-such-image:latest", planned)


def test_an_image_that_is_not_bakers(debian_root):
    found = failed(verify.check_image(debian_root))
    assert {"labels", "entrypoint", "user", "setuid"} <= set(found)
    assert "dev.baker.service" in found["labels"]


def test_an_entrypoint_that_does_not_run(whole, changed):
    """Without a project nobody knows which entrypoint it should be, but this one is none."""
    project, _ = whole
    with changed(project.image, 'ENTRYPOINT ["/usr/bin/tini", "--", "/none"]') as reference:
        found = failed(verify.check_image(reference))
    assert set(found) == {"entrypoint"}
    assert "/none" in found["entrypoint"]


def test_an_image_without_a_shell(whole, changed):
    """What cannot be looked at has not passed; all that can be is."""
    project, _ = whole
    with changed(project.image, "RUN rm /usr/bin/bash") as reference:
        found = verify.check_image(reference)
    assert set(failed(found)) == {"files", "starts", "imports"}
    assert {"secrets", "size", "ready"} <= {item.name for item in found}


def test_layers_are_read_once(whole, tmp_path):
    """Those that a build has read, by themselves or from the stream, are the image's."""
    project, planned = whole
    image = engines.image(project.image)
    assert image is not None
    kept = json.loads((project.root / ".baker/layers.json").read_text())["layers"]
    assert set(image.layers) <= set(kept)
    # Nothing is read: there is no such image.
    known = layers.check("baker-test/none:none", image, project.root / ".baker", pytest.fail)
    assert failed(known) == {}
    assert [item.detail for item in known] == [
        item.detail for item in layers.check(project.image, image, tmp_path, print)
    ]
    assert len(expected.by_plan(planned).last) >= 5


def test_nothing_that_fails_gets_a_tag(whole, engine):
    project, _ = whole
    before = engine.images.get(project.image).id
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace('["iniconfig"]', '["iniconfig", "no_such_module"]'))
    try:
        done = project.build()
    finally:
        project.write("services/hello/service.toml", text)
    assert done.returncode == VerifyError.exit_code
    assert "no_such_module" in done.stderr
    assert engine.images.get(project.image).id == before
    assert pipeline.STAGING not in str([image.tags for image in engine.images.list()])


def test_a_token_in_a_file_of_the_project(whole):
    """All else has passed before, and is not looked at again."""
    project, _ = whole
    project.write("services/hello/motd", CANARY)
    try:
        said = failure(project.build(), VerifyError.exit_code)
    finally:
        project.write("services/hello/motd", "hello\n")
    assert "secrets: looks like a secret: /app/motd" in said


def test_a_pushed_image(whole, engine, registry):
    """By tag and by digest, pulled and removed again; text and JSON, and the exit code."""
    project, _ = whole
    name = f"{registry}/{NAMESPACE}/pushed"
    build = ["docker", "buildx", "build", "--provenance=false", "--output"]
    # As publishing packs them.
    kind = "type=image,name={}:{},push=true,oci-mediatypes=true,compression=zstd,force-compression=true"
    digests = {}
    for tag, user in (("good", "1000:1000"), ("bad", "root")):
        text = f"FROM {project.image}\nUSER {user}\n"
        subprocess.run([*build, kind.format(name, tag), "-"], input=text.encode(), check=True, capture_output=True)
        with Repository(name) as repository:
            found = repository.find(tag)
        assert found is not None
        digests[tag] = found.digest
        engines.remove(f"{name}:{tag}")
    good = project.baker("verify", f"{name}:good", "--json")
    assert good.returncode == 0, good.stderr
    (found,) = json.loads(good.stdout).values()
    assert all(item["passed"] for item in found)
    bad = project.baker("verify", f"{name}@{digests['bad']}", "hello")
    assert "user: runs as root" in failure(bad, VerifyError.exit_code)
    assert "ready" in bad.stdout, "all checks run"
    assert f"{project.image}\n" in bad.stdout
    assert not [tag for image in engine.images.list() for tag in image.tags if tag.startswith(name)]


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("{registry}/no/such:tag", 5, "no/such:tag: not found"),
        ("127.0.0.1:1/no/such:tag", 5, "connection refused"),
        ("{registry}/no/such@sha256:12", UsageError.exit_code, "is no image's name"),
        ("helo", UsageError.exit_code, "hello"),
    ],
)
def test_an_image_that_is_nowhere(whole, registry, name, code, says):
    project, _ = whole
    assert says in failure(project.baker("verify", name.format(registry=registry)), code)
