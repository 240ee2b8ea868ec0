"""Digests of stages, and what they let baker say of the next build."""

from __future__ import annotations

import pytest

from baker.build import forecast
from baker.buildkit import history
from baker.buildkit.bake import StageTime
from baker.dockerfile import render, stages

DOCKERFILE = """\
# a comment
FROM root:1 AS root
ENV A=1

FROM root AS crate
RUN --mount=type=bind,source=scripts/fetch,target=/bin/fetch \\
    fetch thing 1.0.0 /crate

FROM root AS venv
COPY uv.lock /uv.lock
RUN sync

FROM root AS binary
ENV FLAGS=-O2
RUN --mount=type=bind,from=crate,source=/crate,target=/crate \\
    compile /crate/thing-1.0.0

FROM root AS image
RUN mkdir /app
COPY --link --from=binary /out /app/bin
COPY --link --from=venv /venv /app/venv
COPY configs /app/configs
ENV HOME=/app
LABEL version="1.0.0"
CMD ["serve"]
"""
LOCK = '[[package]]\nname = "torch"\nversion = "2.9.1"\n'
FILES = {"Dockerfile": DOCKERFILE, "scripts/fetch": "#!/bin/sh\n", "uv.lock": LOCK, "configs/a.toml": "a = 1\n"}
PINS = {"crate thing": "1.0.0"}


def read(pins=PINS, **changed):
    files = {**FILES, **{name.replace("__", "/"): text for name, text in changed.items()}}
    return stages.read(tuple(render.text(path, content) for path, content in files.items()), pins)


def changed_layers(**changed):
    return {new.name for old, new in zip(read(), read(**changed), strict=True) if old.layers != new.layers}


def edited(old, new):
    assert old in DOCKERFILE
    return DOCKERFILE.replace(old, new)


@pytest.mark.parametrize(
    ("dockerfile", "moved"),
    [
        (edited("# a comment", "# another\n#"), set()),
        (edited("    fetch thing", "    # why\n    fetch thing"), set()),
        (edited("FROM root:1", "FROM root:2"), {"root", "crate", "venv", "binary", "image"}),
        (edited("A=1", "A=2"), {"crate", "venv", "binary", "image"}),
        (edited("fetch thing 1.0.0", "fetch thing 1.0.1"), {"crate", "binary", "image"}),
        (edited("FLAGS=-O2", "FLAGS=-O3"), {"binary", "image"}),
        (edited("RUN sync", "RUN sync  --all"), {"venv", "image"}),
        (edited("HOME=/app", "HOME=/"), set()),
        (edited('version="1.0.0"', 'version="2"'), set()),
        (edited("serve", "stay"), set()),
    ],
)
def test_layers_change_with_what_they_are_made_from(dockerfile, moved):
    assert changed_layers(Dockerfile=dockerfile) == moved


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("scripts__fetch", {"crate", "binary", "image"}),
        ("uv.lock", {"venv", "image"}),
        ("configs__a.toml", {"image"}),
    ],
)
def test_a_file_counts_where_it_is_copied_or_mounted(path, moved):
    assert changed_layers(**{path: LOCK + "\n"}) == moved


@pytest.mark.parametrize("edit", [("HOME=/app", "HOME=/"), ('"1.0.0"', '"2"'), ("serve", "stay")])
def test_settings_of_an_image_change_its_whole_digest(edit):
    old, new = read(), read(Dockerfile=edited(*edit))
    assert old[-1].whole != new[-1].whole


def test_needed_leaves_out_what_the_target_does_not_use():
    assert [stage.name for stage in stages.needed(read(), "binary")] == ["root", "crate", "binary"]


def outlooks(tmp_path, now, made=None, targets=("image",)):
    history.record(tmp_path, "here", made or read(), [StageTime(name="binary", cached=False, seconds=61.5)])
    return {item.stage: item for item in forecast.forecast(now, targets, history.read(tmp_path), ())}


def states(found):
    return {name: item.state for name, item in found.items() if item.state != forecast.CACHED}


def test_nothing_changed(tmp_path):
    assert states(outlooks(tmp_path, read())) == {}


def test_nothing_was_built_before():
    found = forecast.forecast(read(), ("image",), (), ())
    assert {item.state for item in found} == {forecast.BUILD}
    assert {item.why for item in found} == {("not built here before",)}


def test_labels_of_images_stand_in_for_a_lost_ledger():
    known = {digest for stage in read() for digest in (stage.layers, stage.whole)}
    found = forecast.forecast(read(), ("image",), (), known)
    assert {item.state for item in found} == {forecast.CACHED}


@pytest.mark.parametrize(
    ("lost", "built"),
    [
        ({"crate", "venv"}, set()),  # nothing needs them while the image is there
        ({"image"}, {"image"}),
        ({"image", "binary"}, {"image", "binary"}),
        ({"root", "crate", "venv", "binary", "image"}, {"root", "crate", "venv", "binary", "image"}),
    ],
)
def test_what_the_builder_has_dropped_is_built_where_it_is_needed(tmp_path, lost, built):
    history.record(tmp_path, "here", read(), ())
    kept = {stage.name for stage in read()} - lost
    found = forecast.forecast(read(), ("image",), history.read(tmp_path), (), kept)
    assert {item.stage for item in found if item.state == forecast.BUILD} == built
    assert {item.why for item in found if item.state == forecast.BUILD} <= {(forecast.DROPPED,)}


def test_a_new_version(tmp_path):
    now = read({"crate thing": "1.0.1"}, Dockerfile=DOCKERFILE.replace("1.0.0", "1.0.1"))
    found = outlooks(tmp_path, now)
    assert states(found) == {"crate": "build", "binary": "build", "image": "follows"}
    assert found["crate"].why == found["binary"].why == ("crate thing 1.0.0 → 1.0.1",)
    assert found["image"].why == ("if binary comes out different",)
    assert found["binary"].seconds == 61.5


def test_a_new_package(tmp_path):
    found = outlooks(tmp_path, read(**{"uv.lock": LOCK.replace("2.9.1", "2.9.2")}))
    assert states(found) == {"venv": "build", "image": "follows"}
    assert found["venv"].why == ("pins: torch 2.9.1 → 2.9.2",)


def test_a_lock_with_the_same_versions(tmp_path):
    assert outlooks(tmp_path, read(**{"uv.lock": LOCK + "\n"}))["venv"].why == ("dockerfiles/uv.lock",)


def test_a_changed_script_only_may_change_what_comes_after(tmp_path):
    found = outlooks(tmp_path, read(scripts__fetch="#!/bin/sh\n:\n"))
    assert states(found) == {"crate": "build", "binary": "follows", "image": "follows"}
    assert found["crate"].why == ("dockerfiles/scripts/fetch",)


def test_a_changed_instruction_is_told_by_its_words(tmp_path):
    found = outlooks(tmp_path, read(Dockerfile=edited("RUN sync", "RUN sync vim")))
    assert found["venv"].why == ("RUN: + vim",)
    found = outlooks(tmp_path, read(Dockerfile=edited("-O2", "-O3")))
    assert found["binary"].why == ("ENV: FLAGS=-O2 → FLAGS=-O3",)


def test_a_new_parent_builds_all_that_is_made_from_it(tmp_path):
    found = outlooks(tmp_path, read(Dockerfile=edited("root:1", "root:1@sha256:12")))
    assert set(states(found).values()) == {"build"}
    assert found["root"].why == ("FROM: root:1 → root:1@sha256:12",)
    assert found["venv"].why == ("its parent root",)


def test_an_image_of_another_tag_may_hold_the_same(tmp_path):
    found = outlooks(tmp_path, read(Dockerfile=edited("root:1", "root:2")))
    assert set(states(found).values()) == {"follows"}
    assert found["root"].why == ("if root:2 comes out different",)
    assert found["venv"].why == ("if root comes out different",)


def test_settings_alone(tmp_path):
    found = outlooks(tmp_path, read(Dockerfile=edited("serve", "stay")))
    assert states(found) == {"image": "settings"}
    assert found["image"].why == ('CMD: ["serve"] → ["stay"]',)


def test_back_to_what_was_built_before(tmp_path):
    outlooks(tmp_path, read(), made=read(Dockerfile=edited("RUN sync", "RUN sync vim")))
    assert states(outlooks(tmp_path, read(Dockerfile=edited("RUN sync", "RUN sync vim")))) == {}


def test_the_ledger_forgets_what_is_long_past_and_survives_damage(tmp_path):
    for number in range(2 * history.KEPT):
        history.record(tmp_path, "here", read(Dockerfile=edited("serve", f"serve {number}")), [])
    kept = [entry.stage for entry in history.read(tmp_path) if entry.stage.name == "image"]
    assert len(kept) == history.KEPT
    assert f"serve {2 * history.KEPT - 1}" in " ".join(kept[0].instructions)
    (tmp_path / history.NAME).write_text("[{")
    assert history.read(tmp_path) == ()


def test_a_failed_stage_is_no_entry(tmp_path):
    made = [stage for stage in read() if stage.name in ("root", "crate")]
    found = outlooks(tmp_path, read(), made=made)
    assert states(found) == {"venv": "build", "binary": "build", "image": "build"}
