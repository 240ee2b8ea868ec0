"""Each check of a server that runs, with one that is broken in just that way."""

from __future__ import annotations

import pytest

from baker.config import platforms
from baker.dockerfile import requirements
from baker.verify import server
from tests.docker.here import ENGINE
from tests.docker.verify.checking import failed, labelled

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
    "no health check": ("HEALTHCHECK NONE", {"health"}, "the image has none"),
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


def test_a_whole_server_passes(served):
    found = labelled(served)
    assert failed(found) == {}
    assert not [item for item in found if item.skipped]
    assert next(item for item in found if item.name == "ready").detail.endswith("/api/asr-streaming answers")


def test_an_emulated_server_gets_what_its_processor_needs(served, changed):
    """As verify starts a server of another platform, whose processor qemu plays."""
    with changed(served, f"RUN sed -i '2i [ \"$QEMU_CPU\" = neoverse-n1 ] || exit 4' {START}") as reference:
        image = ENGINE.image(reference)
        assert image is not None
        want = requirements.from_labels(image.labels, image.config)
        said = dict(platforms.ARM64.emulated)
        assert failed(server.check(ENGINE, reference, image, want, seconds=30, environment=said)) == {}
        assert set(failed(server.check(ENGINE, reference, image, want, seconds=30))) == {"serves"}


@pytest.mark.parametrize("name", SERVING)
def test_a_broken_server_is_found_and_nothing_else(served, changed, name):
    change, checks, says = SERVING[name]
    with changed(served, change) as reference:
        image = ENGINE.image(reference)
        assert image is not None
        found = failed(
            server.check(ENGINE, reference, image, requirements.from_labels(image.labels, image.config), seconds=30)
        )
    assert set(found) == checks, found
    assert any(says in detail for detail in found.values()), found
