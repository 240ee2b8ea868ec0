"""Each check of an image, with an image that is broken in just that way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from baker.build import prepare, verifying
from baker.cli import options
from baker.errors import VerifyError
from baker.system import userfolder
from baker.verify import layers, server
from tests.docker.here import ENGINE
from tests.docker.project import CRATE
from tests.docker.verify.checking import demanding, failed, labelled, verified

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


def test_a_whole_image_passes(whole):
    project, planned = whole
    found = verified(project.image, planned)
    assert failed(found) == {}
    assert {item.name for item in found if item.skipped} == set(server.NAMES)


def test_its_labels_are_enough(whole):
    project, planned = whole
    found = labelled(project.image)
    assert failed(found) == {}
    assert [item.name for item in found] == [item.name for item in verified(project.image, planned)]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_nothing_else(whole, changed, name):
    project, planned = whole
    change, checks, says = BROKEN[name]
    with changed(project.image, change) as reference:
        found = failed(verified(reference, planned))
    assert set(found) == checks, found
    assert any(says in detail for detail in found.values()), found


def test_larger_than_its_budget(whole):
    project, planned = whole
    assert set(failed(verified(project.image, demanding(planned, budget=1)))) == {"size"}


def test_what_service_toml_lets_pass(whole, changed):
    project, planned = whole
    change = f"RUN cp {LIBRARIES}/libcrypto.so.3 /opt/libcopy.so && rm {LIBRARIES}/libbz2.so.1.0"
    lenient = demanding(planned, duplicates=("*/libc*.so*",), unresolved=("/usr/*",))
    with changed(project.image, change) as reference:
        assert set(failed(verified(reference, planned))) == {"duplicates", "libraries"}
        assert failed(verified(reference, lenient)) == {}


def test_a_compiler_that_is_asked_for(whole, changed):
    project, planned = whole
    change = "RUN ln -s /bin/false /usr/bin/g++ && ln -s /bin/false /usr/bin/cc"
    with changed(project.image, change) as reference:
        lenient = verified(reference, demanding(planned, packages=("g++",)))
    assert "compilers" not in failed(lenient)
    assert "compiles" in failed(lenient), "this one compiles nothing"


def test_an_image_that_is_not_here(whole):
    project, _ = whole
    asked = options.BuildOptions(services=("hello",), project=project.root, tag="none").request()
    missing = prepare.make(asked, prepare.choice(asked, "debian", link=True, build_platform=asked.host))
    with pytest.raises(VerifyError, match="baker build hello"):
        verifying.verify_images(missing, ENGINE, print)


def test_an_image_that_is_not_bakers(debian_root):
    found = failed(labelled(debian_root))
    assert {"labels", "entrypoint", "user", "setuid"} <= set(found)
    assert "dev.baker.service" in found["labels"]


def test_an_entrypoint_that_does_not_run(whole, changed):
    """Without a project nobody knows which entrypoint it should be, but this one is none."""
    project, _ = whole
    with changed(project.image, 'ENTRYPOINT ["/usr/bin/tini", "--", "/none"]') as reference:
        found = failed(labelled(reference))
    assert set(found) == {"entrypoint"}
    assert "/none" in found["entrypoint"]


def test_an_image_without_a_shell(whole, changed):
    """What cannot be looked at has not passed; all that can be is."""
    project, _ = whole
    with changed(project.image, "RUN rm /usr/bin/bash") as reference:
        found = labelled(reference)
    assert set(failed(found)) == {"files", "starts", "imports"}
    assert {"secrets", "size", "ready"} <= {item.name for item in found}


def test_layers_are_read_once(whole, tmp_path):
    """Those that a build has read, by themselves or from the stream, are the image's."""
    project, _ = whole
    image = ENGINE.image(project.image)
    assert image is not None
    folder = userfolder.cache(ENGINE.environment)
    assert folder is not None
    kept = json.loads((folder / layers.NAME).read_text())["layers"]
    assert set(image.layers) <= set(kept)
    # Nothing is read: there is no such image.
    gone = replace(image, id="baker-test/none:none", tags=())
    known = layers.check(ENGINE, gone, folder=folder, say=pytest.fail)
    assert failed(known) == {}
    assert [item.detail for item in known] == [
        item.detail for item in layers.check(ENGINE, image, folder=tmp_path, say=print)
    ]
