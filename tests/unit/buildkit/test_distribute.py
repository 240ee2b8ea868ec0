"""Which builder makes what, and what becomes of the others when one fails."""

from __future__ import annotations

import pytest

from baker.buildkit import distribute
from baker.buildkit.distribute import Share
from baker.errors import BuildError

IMAGES, BINARIES = ("stt", "tts"), ("binary-cuda-75", "binary-cuda-80", "binary-cuda-90")


def share(builder, images=(), binaries=()):
    return Share(builder=builder, images=images, binaries=binaries)


@pytest.mark.parametrize("builders", [(), ("one",)])
def test_one_builder_makes_everything_in_one_call(builders):
    assert distribute.deal(builders, IMAGES, BINARIES) == ((share("".join(builders), IMAGES, BINARIES),),)


def test_several_compile_first_and_each_image_has_one_builder():
    assert distribute.deal(("one", "two"), IMAGES, BINARIES) == (
        (share("one", binaries=("binary-cuda-75", "binary-cuda-90")), share("two", binaries=("binary-cuda-80",))),
        (share("one", images=("stt",)), share("two", images=("tts",))),
    )
    assert distribute.of(("one", "two"), IMAGES) == {"stt": "one", "tts": "two"}


def test_without_a_registry_cache_nothing_is_compiled_ahead():
    assert distribute.deal(("one", "two"), IMAGES, ()) == (
        (share("one", images=("stt",)), share("two", images=("tts",))),
    )


def test_a_builder_that_nothing_is_left_for_has_no_share():
    assert distribute.deal(("one", "two", "three"), IMAGES, ()) == distribute.deal(("one", "two"), IMAGES, ())


def test_all_shares_of_a_round_are_made_and_an_error_comes_out():
    made = []

    def one(part, _):
        made.append(part.builder)
        if part.builder == "two":
            raise BuildError("it failed")

    parts = [share("one", images=("stt",)), share("two", images=("tts",))]
    with pytest.raises(BuildError, match="it failed"):
        distribute.make(parts, one)
    assert sorted(made) == ["one", "two"]
