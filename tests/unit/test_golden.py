"""What is rendered for every base and accel, byte for byte. `pytest tests/unit --update-golden` writes it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from baker import bakefile, plan, planner, project, render

GOLDEN = Path(__file__).with_name("golden")
PROJECT = project.find(Path(__file__).parent)


def rendered(base: str, accel: str, *services: str, link: bool = True, variant: str = "slim") -> dict[str, bytes]:
    settings = PROJECT.settings()
    choice = plan.Choice(
        base=base, accel=accel, capabilities=(75, 80), root="baker-root:golden", link=link, variant=variant
    )
    planned = planner.make(
        PROJECT.services(services), PROJECT.pins(), settings.mirrors, choice, PROJECT.services_folder
    )
    labels = {image.target: {"org.opencontainers.image.revision": "0123abc"} for image in planned.services}
    bake = bakefile.make(planned, settings, labels).encode()
    return {"docker-bake.json": bake, **{file.path: file.content for file in render.render(planned)}}


@pytest.mark.parametrize("services", [("stt",), ("tts",), ("stt", "tts")], ids="+".join)
@pytest.mark.parametrize("accel", ["cuda", "cpu"])
@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_dockerfile(request, base, accel, services):
    found = rendered(base, accel, *services)
    for name in ("Dockerfile", "docker-bake.json"):
        golden = GOLDEN / f"{base}-{accel}-{'+'.join(services)}.{name}"
        if request.config.getoption("update_golden"):
            golden.write_bytes(found[name])
        assert found[name].decode() == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_builder_variant(request, base):
    found = rendered(base, "cuda", "stt", variant="builder")["Dockerfile"]
    golden = GOLDEN / f"{base}-cuda-stt-builder.Dockerfile"
    if request.config.getoption("update_golden"):
        golden.write_bytes(found)
    assert found.decode() == golden.read_text(encoding="utf-8")


def test_an_old_engine_gets_no_link():
    assert b"--link" not in rendered("debian", "cuda", link=False)["Dockerfile"]


def test_the_same_input_gives_the_same_bytes():
    assert rendered("debian", "cuda") == rendered("debian", "cuda")


def test_one_compile_for_both_services():
    text = rendered("debian", "cuda", "stt", "tts")["Dockerfile"].decode()
    assert text.count("AS binary-moshi-server-cuda-80") == 1
    assert text.count("AS binary-moshi-server-cuda-75") == 1
    assert text.count("cargo install --locked --offline --no-track --path /crate") == 2


def stage(text: str, name: str) -> str:
    """Return a stage's instructions, without the comments around it."""
    body = text.split(f" AS {name}\n")[1].split("\nFROM ", maxsplit=1)[0]
    return "\n".join(line for line in body.splitlines() if not line.startswith("#"))


def test_venv_and_binary_do_not_depend_on_each_other():
    text = rendered("debian", "cuda", "stt", "tts")["Dockerfile"].decode()
    binary, venv = stage(text, "binary-moshi-server-cuda-80"), stage(text, "venv-moshi-server")
    assert "uv.lock" in venv
    assert "crate-moshi-server" in binary
    assert not [word for word in ("uv.lock", "venv-moshi-server", "libraries-moshi-server") if word in binary]
    assert not [word for word in ("crate", "binary", "cargo") if word in venv]


def test_the_speech_to_text_image_takes_no_venv():
    assert "venv-moshi-server" not in rendered("debian", "cuda", "stt")["Dockerfile"].decode()
