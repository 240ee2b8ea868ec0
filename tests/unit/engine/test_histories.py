"""Which instruction made which layer."""

from __future__ import annotations

import pytest

from baker.engine import histories

BUILDKIT = [
    ("ADD root.tar / # buildkit", 100),
    ("ENV A=1", 0),
    ("RUN |2 A=1 B=x y /bin/sh -c apt-get update && apt-get install -y jq # buildkit", 50),
    ("COPY /opt/venv /opt/venv # buildkit", 7),
    ("WORKDIR /app", 4),
    ('ENTRYPOINT ["/usr/bin/tini"]', 0),
]
CLASSIC = [
    ("/bin/sh -c #(nop) ADD file:abc in / ", 100),
    ('/bin/sh -c #(nop)  CMD ["bash"]', 0),
    ("/bin/sh -c apt-get update", 50),
    ("/bin/sh -c #(nop) COPY dir:x in /app", 0),
]


def test_layers_of_buildkit():
    found = histories.layers(("a", "b", "c", "d"), BUILDKIT)
    assert [(layer.digest, layer.size, layer.instruction) for layer in found] == [
        ("a", 100, "ADD root.tar /"),
        ("b", 50, "RUN apt-get update && apt-get install -y jq"),
        ("c", 7, "COPY /opt/venv /opt/venv"),
        ("d", 4, "WORKDIR /app"),
    ]


def test_layers_of_the_classic_builder():
    found = histories.layers(("a", "b", "c"), CLASSIC)
    assert [layer.instruction for layer in found] == [
        "ADD file:abc in /",
        "RUN apt-get update",
        "COPY dir:x in /app",
    ]


def test_an_imported_root_has_no_instruction():
    (layer,) = histories.layers(("a",), [("", 9)])
    assert (layer.size, layer.instruction) == (9, "")


@pytest.mark.parametrize("history", [[], [("bazel build", 1), ("bazel build", 2)]])
def test_a_history_that_does_not_fit_tells_nothing(history):
    found = histories.layers(("a", "b", "c"), history)
    assert [(layer.digest, layer.instruction) for layer in found] == [("a", ""), ("b", ""), ("c", "")]


def test_a_builder_that_nobody_knows_is_read_by_bytes():
    found = histories.layers(("a", "b"), [("bazel build", 1), ("bazel label", 0), ("bazel copy", 2)])
    assert [layer.instruction for layer in found] == ["bazel build", "bazel copy"]
