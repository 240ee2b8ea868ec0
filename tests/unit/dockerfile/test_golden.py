"""What is rendered for every base and accel, byte for byte. `pytest tests/unit --update-golden` writes it anew."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from baker.config import cards, project
from baker.config import cuda as releases
from baker.config.platforms import AMD64, ARM64
from baker.config.settings import Downloads
from baker.dockerfile import bakefile, plan, planner, render
from baker.dockerfile.choice import Choice

if TYPE_CHECKING:
    from baker.config.pins import Pins
    from baker.config.platforms import Platform
    from baker.config.settings import Mirrors

GOLDEN = Path(__file__).with_name("golden")
PROJECT = project.find(Path(__file__).parent)


def rendered(
    base: str,
    accel: str,
    *services: str,
    link: bool = True,
    variant: str = "slim",
    platform: Platform = AMD64,
    build_platform: Platform = AMD64,
    page: bool = True,
    cuda: str = cards.OWN,
) -> dict[str, bytes]:
    pins = PROJECT.read_pins()
    settings = replace(PROJECT.read_settings(), cuda=cuda, accel=accel, base=base)
    settled, settings = releases.settle(PROJECT.read_services(services), settings, pins)
    choice = Choice(
        base=base,
        accel=accel,
        capabilities=(75, 80) if cuda == cards.OWN else (80, 120),
        root=f"baker-root:golden{platform.suffix}",
        link=link,
        variant=variant,
        platform=platform,
        build_platform=build_platform,
        build_root=f"baker-root:golden{build_platform.suffix}",
        local=AMD64,
        page=page,
    )
    planned = planner.make(settled, pins, settings.mirrors, choice, PROJECT.services_folder)
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


def test_one_setting_leaves_the_page_out():
    with_page, without = (rendered("debian", "cpu", "stt", "tts", page=page) for page in (True, False))
    page = {path for path in with_page if path.startswith("services/moshi-server/page/")}
    assert page == set(with_page) - set(without) > {"services/moshi-server/page/index.html"}
    copies = [line for line in with_page["Dockerfile"].decode().splitlines() if line.endswith(" /app/static")]
    assert len(copies) == 2
    assert without["Dockerfile"].decode() == "".join(
        line for line in with_page["Dockerfile"].decode().splitlines(keepends=True) if line.rstrip() not in copies
    )


@pytest.mark.parametrize("build_platform", [AMD64, ARM64], ids=["crossed", "native"])
@pytest.mark.parametrize("accel", ["cuda", "cpu"])
@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_arm64(request, base, accel, build_platform):
    found = rendered(base, accel, "stt", "tts", platform=ARM64, build_platform=build_platform)
    for name in ("Dockerfile", "docker-bake.json"):
        golden = GOLDEN / f"{base}-{accel}-stt+tts-arm64-on-{build_platform.architecture}.{name}"
        if request.config.getoption("update_golden"):
            golden.write_bytes(found[name])
        assert found[name].decode() == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_what_cross_compiles_takes_the_native_toolchain_from_the_cache(base):
    native = rendered(base, "cuda", "stt")["Dockerfile"].decode()
    crossed = rendered(base, "cuda", "stt", platform=ARM64)["Dockerfile"].decode()
    assert instructions(stage(native, "toolchain-cuda")) == instructions(stage(crossed, "toolchain-cuda"))
    assert instructions(stage(native, "crate-moshi-server")) == instructions(stage(crossed, "crate-moshi-server"))
    if base == "debian":
        assert instructions(stage(native, "toolchain")) == instructions(stage(crossed, "toolchain"))


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_what_compiles_or_unpacks_wheels_runs_on_the_builder_and_all_else_on_the_images_platform(base):
    text = rendered(base, "cuda", "stt", "tts", platform=ARM64)["Dockerfile"].decode()
    origins = {name: start for start, name in re.findall(r"^FROM (.*) AS (\S+)$", text, re.MULTILINE)}

    def here(name: str) -> bool:
        origin = origins[name]
        return origin.startswith("--platform=$BUILDPLATFORM ") or (origin in origins and here(origin))

    ours: tuple[str, ...] = ("toolchain", "crate-", "binary-", "tool-", "root-build")
    if base == "debian":
        ours += ("python-build", "libraries-", "venv-")
    assert {name for name in origins if here(name)} == {name for name in origins if name.startswith(ours)}
    # Where wheels are unpacked on the builder, they are those of the images' platform; elsewhere they are anyway.
    assert text.count(" --python-platform aarch64-manylinux_2_40 ") == (2 if base == "debian" else 0)
    for name in ("binary-moshi-server-cuda-80", "tool-moshi-health"):
        assert origins[name].endswith("-cross")


def test_natively_the_dockerfile_of_another_platform_names_none():
    text = rendered("debian", "cuda", "stt", platform=ARM64, build_platform=ARM64)["Dockerfile"].decode()
    assert "--platform" not in text
    assert "-cross" not in text
    assert "x86" not in text.replace("linux/arm64", "")


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_builder_variant(request, base):
    found = rendered(base, "cuda", "stt", variant="builder")["Dockerfile"]
    golden = GOLDEN / f"{base}-cuda-stt-builder.Dockerfile"
    if request.config.getoption("update_golden"):
        golden.write_bytes(found)
    assert found.decode() == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("services", [("stt",), ("tts",), ("stt", "tts")], ids="+".join)
def test_cuda_from_wheels(request, services):
    compare(request, rendered("debian", "cuda", *services, cuda="13.0"), f"debian-cuda13.0-{'+'.join(services)}")


@pytest.mark.parametrize("build_platform", [AMD64, ARM64], ids=["crossed", "native"])
def test_cuda_from_wheels_for_arm64(request, build_platform):
    found = rendered("debian", "cuda", "stt", "tts", platform=ARM64, build_platform=build_platform, cuda="13.0")
    compare(request, found, f"debian-cuda13.0-stt+tts-arm64-on-{build_platform.architecture}")


def test_cuda_from_wheels_in_the_builder_variant(request):
    found = rendered("debian", "cuda", "stt", variant="builder", cuda="13.0")
    compare(request, {"Dockerfile": found["Dockerfile"]}, "debian-cuda13.0-stt-builder")


def compare(request, found: dict[str, bytes], name: str) -> None:
    """Compare what was rendered with the golden files of a name, after writing them where that was asked for."""
    for file in sorted({"Dockerfile", "docker-bake.json"} & set(found)):
        golden = GOLDEN / f"{name}.{file}"
        if request.config.getoption("update_golden"):
            golden.write_bytes(found[file])
        assert found[file].decode() == golden.read_text(encoding="utf-8")


def test_an_old_engine_gets_no_flag_that_it_does_not_know():
    """BuildKit 0.8, of Docker 20.10, ends with "Unknown flag" at either."""
    text = rendered("debian", "cuda", link=False)["Dockerfile"]
    assert b"--link" not in text
    assert b"--network" not in text


def test_the_same_input_gives_the_same_bytes():
    assert rendered("debian", "cuda") == rendered("debian", "cuda")


def test_one_compile_for_both_services():
    text = rendered("debian", "cuda", "stt", "tts")["Dockerfile"].decode()
    assert text.count("AS binary-moshi-server-cuda-80") == 1
    assert text.count("AS binary-moshi-server-cuda-75") == 1
    assert text.count("cargo auditable install --locked --offline --no-track --path /crate") == 2


def stage(text: str, name: str) -> str:
    """Return a stage's instructions, without the comments around it."""
    body = text.split(f" AS {name}\n")[1].split("\nFROM ", maxsplit=1)[0]
    return "\n".join(line for line in body.splitlines() if not line.startswith("#"))


def instructions(body: str) -> list[str]:
    """Return the instructions of a stage, continued lines joined."""
    return [line for line in body.replace("\\\n", "").splitlines() if line.strip()]


def test_venv_and_binary_do_not_depend_on_each_other():
    text = rendered("debian", "cuda", "stt", "tts")["Dockerfile"].decode()
    binary, venv = stage(text, "binary-moshi-server-cuda-80"), stage(text, "venv-moshi-server")
    assert "uv.lock" in venv
    assert "crate-moshi-server" in binary
    assert not [word for word in ("uv.lock", "venv-moshi-server", "libraries-moshi-server") if word in binary]
    assert not [word for word in ("crate", "binary", "cargo") if word in venv]


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_what_compiles_has_no_network_no_secret_and_no_cargo_cache(base):
    text = rendered(base, "cuda", "stt", "tts")["Dockerfile"].decode()
    for name in ("binary-moshi-server-cuda-80", "tool-moshi-health"):
        (compile_,) = (part for part in instructions(stage(text, name)) if " install --locked --offline" in part)
        assert compile_.startswith("RUN --network=none ")
        assert "--offline" in compile_
        assert "type=secret" not in compile_
        caches = re.findall(r"type=cache,id=(\S+?),target=(\S+?),", compile_)
        assert all(id_.startswith("baker-target-moshi-server-0.6.4-") for id_, _ in caches)
        assert [target for _, target in caches] == (["/target"] if name.startswith("binary") else [])


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_nothing_in_an_image_says_how_packages_are_installed(base):
    text = rendered(base, "cuda", "stt", "tts")["Dockerfile"].decode()
    assert not re.search(r"^(ENV|ARG|    )\s*DEBIAN_FRONTEND=", text, re.MULTILINE)


def planned(pins: Pins, mirrors: Mirrors, base: str = "debian") -> plan.Plan:
    choice = Choice(
        base=base,
        accel="cuda",
        capabilities=(75, 80),
        root="baker-root:golden",
        link=True,
        variant="slim",
        platform=AMD64,
        build_platform=AMD64,
        build_root="baker-root:golden",
        local=AMD64,
    )
    return planner.make(PROJECT.read_services(["stt"]), pins, mirrors, choice, PROJECT.services_folder)


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_patience_reaches_what_downloads_and_nothing_that_compiles(base):
    made = planned(PROJECT.read_pins(), PROJECT.read_settings().mirrors, base)
    patient = replace(made, downloads=Downloads(timeout=900, retries=20))
    before, after = (render.render(each)[0].content.decode() for each in (made, patient))
    told = {"CARGO_HTTP_TIMEOUT=900", "CARGO_NET_RETRY=20", "UV_HTTP_TIMEOUT=900", "UV_HTTP_RETRIES=20"}
    for name in ("crate-moshi-server", "python"):
        assert told <= set(re.findall(r"[A-Z_]+=[0-9]+", stage(after, name)))
    assert "_TIMEOUT" not in before
    for name in ("toolchain", "toolchain-cuda", "binary-moshi-server-cuda-80", "stt"):
        assert stage(after, name) == stage(before, name)


def test_a_target_cache_is_of_one_crate_from_one_place():
    pins, mirrors = PROJECT.read_pins(), PROJECT.read_settings().mirrors
    old, other = planned(pins, mirrors).binaries
    assert old.cache == other.cache, "a new capability compiles only what depends on it"
    crate = structs.replace(pins.crate("moshi-server"), sha256="0" * 64)
    changed = {
        "another archive, with another Cargo.lock": (structs.replace(pins, crates={"moshi-server": crate}), mirrors),
        "another mirror of crates": (pins, structs.replace(mirrors, crates="https://cargo.example.com/index/")),
        "a compiler from elsewhere": (pins, structs.replace(mirrors, debian="https://debian.example.com/debian")),
        "another release of the compiler": (
            structs.replace(pins, debian=structs.replace(pins.debian, rust="1.96")),
            mirrors,
        ),
    }
    caches = {why: planned(*values).binaries[0].cache for why, values in changed.items()}
    assert len({old.cache, *caches.values()}) == 1 + len(changed), caches
    newer = structs.replace(pins, debian=structs.replace(pins.debian, snapshot="20270101T000000Z"))
    assert planned(newer, mirrors).binaries[0].cache == old.cache


@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_git_is_there_only_for_a_lock_that_needs_it(base):
    found = planned(PROJECT.read_pins(), PROJECT.read_settings().mirrors, base)
    for wanted in (False, True):
        files = render.render(replace(found, with_git=wanted))
        text = next(file.content for file in files if file.path == "Dockerfile").decode()
        assert (" git " in stage(text, "python")) == wanted


def test_the_speech_to_text_image_takes_no_venv():
    assert "venv-moshi-server" not in rendered("debian", "cuda", "stt")["Dockerfile"].decode()
