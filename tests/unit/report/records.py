"""A made-up record of a build with one of everything, and one of the build before it."""

from __future__ import annotations

from msgspec.structs import replace

from baker.build import record
from baker.build.recorder import EXPORT, ROOT, VERIFY

BINARY = "binary-moshi-server-cuda-80"
AFTER = {
    "toolchain": ("root",),
    BINARY: ("crate", "toolchain"),
    "crate": ("toolchain",),
    "python": ("root",),
    "venv": ("python",),
    "stt": (BINARY,),
    "tts": (BINARY, "venv"),
}


def stage(name: str, *spans: tuple[float, float], downloaded: int = 0, complete: bool = True) -> record.Stage:
    """Return a stage that ran so, or came from the cache."""
    return record.Stage(
        name=name,
        after=AFTER.get(name, ()),
        cached=not spans,
        complete=complete,
        seconds=sum(end - start for start, end in spans),
        downloaded=downloaded,
        steps=tuple(record.Step(text=f"RUN make {name}", started=start, ended=end) for start, end in spans),
        crates=(120, 501) if name == BINARY else None,
    )


def layer(digest: str, size: int, made_by: str = "") -> record.Layer:
    """Return a layer."""
    return record.Layer(digest=f"sha256:{digest * 64}", size=size, made_by=made_by)


ROOT_LAYER, CUDA = layer("a", 120_000_000), layer("b", 1_120_000_000, "COPY --link --from=libraries /layers/1 /")
VENV = layer("c", 6_000_000_000, 'RUN echo "<script>alert(1)</script>" && uv sync')
CHECKS = (
    record.Check(name="libraries", passed=True, detail="all 24 are found", skipped=False),
    record.Check(name="server", passed=True, detail="needs a card", skipped=True),
)


def image(service: str, *layers: record.Layer) -> record.Image:
    """Return an image of some layers."""
    return record.Image(
        service=service,
        name=f"baker/{service}:latest",
        digest=f"sha256:{service[0] * 64}",
        size=sum(each.size for each in layers),
        layers=layers,
        checks=CHECKS,
    )


def activity(name: str, target: str, started: float, ended: float) -> record.Activity:
    """Return an activity."""
    return record.Activity(name=name, target=target, started=started, ended=ended)


BUILD = record.Build(
    started=1_795_695_489.0,
    seconds=900.0,
    state=record.FINISHED,
    error="",
    base="debian",
    accel="cuda",
    services=("stt", "tts"),
    platform="linux/amd64",
    engine="Docker 26.1.5, buildx 0.13.1",
    cores=2,
    stages=(
        stage("root"),
        stage("toolchain", (30.0, 70.0), downloaded=209_000_000),
        stage("python", (30.0, 39.0), downloaded=46_000_000),
        stage("crate", (70.0, 80.0), (80.2, 81.0)),
        stage(BINARY, (81.0, 700.0)),
        stage("venv", (39.0, 220.0), downloaded=4_110_000_000),
        stage("stt", (700.0, 702.0)),
        stage("tts", (31.0, 33.0), (220.0, 240.0), (700.0, 704.0)),
    ),
    activities=(
        activity(ROOT, "", 0.0, 30.0),
        activity(EXPORT, "stt", 702.0, 710.0),
        activity(EXPORT, "tts", 704.0, 760.0),
        activity(VERIFY, "stt", 760.0, 800.0),
        activity(VERIFY, "tts", 800.0, 899.0),
    ),
    images=(image("stt", ROOT_LAYER, CUDA), image("tts", ROOT_LAYER, CUDA, VENV)),
    warnings=("FromAsCasing: 'as' and 'FROM' keywords' casing do not match",),
)
BEFORE = replace(
    BUILD, started=BUILD.started - 86_400, images=(image("stt", ROOT_LAYER), image("tts", ROOT_LAYER, CUDA))
)
FAILED = replace(
    BUILD,
    state=record.FAILED,
    error=f"the stage {BINARY} failed: exit code: 101\n  command: RUN cargo install",
    stages=(stage("root"), stage("toolchain", (0.0, 40.0)), stage(BINARY, (40.0, 100.0), complete=False)),
    activities=(),
    images=(),
    seconds=100.0,
)
# Everything came from the cache.
CACHED = replace(
    BUILD,
    started=BUILD.started + 3600,
    seconds=2.5,
    stages=tuple(stage(one.name) for one in BUILD.stages),
    activities=(),
)
