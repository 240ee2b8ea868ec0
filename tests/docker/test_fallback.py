"""docs/fallback.md row by row: the real start script in real containers, with stand-ins for what is around it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from docker.models.containers import Container

TOP = Path(__file__).parents[2]
SCRIPT = TOP / "services/moshi-server/start_moshi_server.sh"
STANDINS = Path(__file__).parent / "standins"
VARIANTS = ("slim", "turing", "cpu", "broken", "builder")
WORKER = ("worker", "--config", "configs/local.toml")
# Behind a proxy the script cannot tell whether there is a network.
PROXY = {"HTTPS_PROXY": "http://proxy:3128"}
L4 = "NVIDIA L4, 8.9, 570.86.15"
T4 = "Tesla T4, 7.5, 570.86.15"
NO_DRIVER = {"PATH": "/usr/bin:/bin"}


def card(*cards: str, **more: str) -> dict[str, str]:
    """The environment in which nvidia-smi prints these lines, and the driver's library is there."""
    return {
        "CARDS": "\n".join(cards),
        "PATH": "/standins/bin:/usr/bin:/bin",
        "LD_LIBRARY_PATH": "/standins/driver",
        **more,
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a start left: its exit code, what the stand-in server or command printed, and what the script said."""

    code: int
    out: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def binary(self) -> str:
        return next(line for line in self.out if line.startswith("binary ")).removeprefix("binary ")

    @property
    def args(self) -> list[str]:
        return [line.removeprefix("arg ") for line in self.out if line.startswith("arg ")]

    @property
    def env(self) -> dict[str, str]:
        pairs = (line.removeprefix("env ").split("=", 1) for line in self.out if line.startswith("env "))
        return dict(pairs)

    def refuses(self, code: int, reason: str, *parts: str) -> None:
        """Assert that nothing ran, and that one line says this."""
        assert (self.code, self.out, len(self.said)) == (code, (), 1), self
        assert self.said[0].startswith(f"moshi-server: {reason}: "), self
        assert [part for part in parts if part not in self.said[0]] == [], self

    def runs(self, binary: str, *parts: str, notes: int = 0) -> None:
        """Assert that this ran, and that its line says so after as many notes."""
        assert self.code == 0, self
        assert self.binary == binary, self
        assert [line.split(": ")[1] for line in self.said] == ["note"] * notes + ["run"], self
        assert [part for part in parts if part not in self.said[-1]] == [], self


class Machine:
    """An engine with the stand-in images."""

    def __init__(self, client: docker.DockerClient, images: dict[str, str]) -> None:
        self.client = client
        self.images = images

    @contextmanager
    def started(self, *command: str, image: str = "slim", env: dict[str, str], **options: Any) -> Iterator[Container]:
        container = self.client.containers.run(
            self.images[image], list(command), detach=True, environment=env, network_mode="none", **options
        )
        try:
            yield container
        finally:
            container.remove(force=True)

    def start(self, *command: str, image: str = "slim", env: dict[str, str] = NO_DRIVER, **options: Any) -> Outcome:
        with self.started(*command, image=image, env=env, **options) as container:
            return ended(container)


def ended(container: Container) -> Outcome:
    code = int(container.wait(timeout=60)["StatusCode"])
    out, said = (container.logs(stdout=first, stderr=not first).decode().splitlines() for first in (True, False))
    return Outcome(code=code, out=tuple(out), said=tuple(said))


def until_said(container: Container, text: str) -> None:
    for _ in range(600):
        if text in container.logs().decode():
            return
        time.sleep(0.05)
    pytest.fail(f"never said {text!r}: {container.logs().decode()}")


@pytest.fixture(scope="session")
def machine(debian_root: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Machine]:
    context = tmp_path_factory.mktemp("standins") / "context"
    shutil.copytree(STANDINS, context)
    shutil.copy(SCRIPT, context)
    images = {name: f"baker-test-fallback:{name}-{uuid.uuid4().hex[:8]}" for name in VARIANTS}
    for name, tag in images.items():
        command = ["docker", "build", "--quiet", f"--build-arg=ROOT={debian_root}", f"--target={name}", f"--tag={tag}"]
        subprocess.run([*command, str(context)], check=True, stdout=subprocess.DEVNULL)
    client = docker.from_env()
    try:
        yield Machine(client, images)
    finally:
        for tag in images.values():
            client.images.remove(tag, force=True)
        client.close()


@pytest.fixture
def volume(machine: Machine) -> Generator[str]:
    made = machine.client.volumes.create()
    try:
        yield str(made.id)
    finally:
        made.remove(force=True)


def target(volume: str) -> dict[str, dict[str, str]]:
    return {volume: {"bind": "/app/target", "mode": "rw"}}


def cache(volume: str) -> dict[str, dict[str, str]]:
    return {volume: {"bind": "/root/.cache/huggingface", "mode": "rw"}}


# ---------------------------------------------------------------------------------------------------------------- cards


@pytest.mark.parametrize(
    ("cards", "capability", "named"),
    [
        ([L4], "80", "NVIDIA L4 (8.9), driver 570.86.15"),
        (["NVIDIA H100, 9.0, 570.86.15"] * 2, "90", "2 x NVIDIA H100 (9.0), driver 570.86.15"),
        (
            ["NVIDIA B200, 10.0, 570.86.15", "NVIDIA A100, 8.0, 570.86.15"],
            "80",
            "NVIDIA B200 (10.0), NVIDIA A100 (8.0)",
        ),
        (["NVIDIA GeForce RTX 5090, 12.0, 581.29"], "90", "NVIDIA GeForce RTX 5090 (12.0)"),
    ],
)
def test_best_baked_binary_for_every_visible_card(
    machine: Machine, cards: list[str], capability: str, named: str
) -> None:
    start = machine.start(*WORKER, env=card(*cards))
    binary = f"/opt/baker/bin/moshi-server-cuda-{capability}"
    start.runs(binary, f"run: 0.6.4 (cuda) on {named}", f": {binary}")
    assert start.args == list(WORKER)


@pytest.mark.parametrize("cards", [[T4], [L4, T4]])
def test_card_older_than_every_baked_binary(machine: Machine, cards: list[str]) -> None:
    start = machine.start("worker", "--config", "configs/asr.toml", env=card(*cards))
    start.refuses(
        40, "card-too-old", "Tesla T4 (7.5)", "(8.0, 9.0)", "`baker build --compute-cap 75`", 'dtype_override = "f32"'
    )


def test_binary_for_turing_wants_a_dtype(machine: Machine) -> None:
    env = card(T4, HF_HOME="/standins/cache", CUDA_CACHE_PATH="/tmp/jit")
    start = machine.start("worker", "--config", "configs/asr.toml", image="turing", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-75", notes=1)
    assert 'configs/asr.toml needs dtype_override = "f32"' in start.said[0]


def test_only_the_chosen_cards_count(machine: Machine) -> None:
    env = card(L4, CUDA_VISIBLE_DEVICES="-1")
    machine.start(*WORKER, env=env).refuses(42, "no-card", "CUDA_VISIBLE_DEVICES=-1 hides every card")


@pytest.mark.parametrize(
    ("env", "found"),
    [(card("NVIDIA A100, 8.0, 550.54.09"), "550.54.09"), (card("", CARDS_OLD="470.182.03"), "470.182.03")],
    ids=["older", "too old to be asked for compute_cap"],
)
def test_driver_older_than_the_toolkit_needs(machine: Machine, env: dict[str, str], found: str) -> None:
    machine.start(*WORKER, env=env).refuses(41, "driver-too-old", f"the driver is {found}, CUDA 12.4 needs 550.54.14")


def test_no_driver_and_no_wish(machine: Machine) -> None:
    ways_out = ("--gpus all", "NVIDIA container toolkit", "--cpu or MOSHI_ACCEL=cpu")
    machine.start(*WORKER).refuses(42, "no-card", *ways_out)


def test_driver_that_fails_is_quoted(machine: Machine) -> None:
    env = card("Failed to initialize NVML: Driver/library version mismatch", CARDS_STATUS="18")
    machine.start(*WORKER, env=env).refuses(42, "no-card", 'nvidia-smi says "Failed to initialize NVML', "--gpus all")


@pytest.mark.parametrize("env", [NO_DRIVER, card("Orin (nvgpu), [N/A], 540.3.0")], ids=["no nvidia-smi", "no answer"])
def test_card_that_cannot_be_asked(machine: Machine, env: dict[str, str]) -> None:
    driver = {"LD_LIBRARY_PATH": "/standins/driver"}
    start = machine.start(*WORKER, env={**env, **driver}, devices=["/dev/null:/dev/dxg"])
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on a card that could not be asked:")


def test_driver_without_its_library(machine: Machine) -> None:
    env = {**card(L4), "LD_LIBRARY_PATH": ""}
    machine.start(*WORKER, env=env).refuses(43, "driver-not-mounted", "libcuda.so.1", "NVIDIA_DRIVER_CAPABILITIES")


# ------------------------------------------------------------------------------------------------------------------ CPU


def test_cpu_as_an_argument(machine: Machine) -> None:
    start = machine.start("worker", "--cpu", "--config", "configs/local.toml")
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on the CPU, as asked for by --cpu")
    assert start.args == ["worker", "--cpu", "--config", "configs/local.toml"]
    assert start.env["LD_LIBRARY_PATH"] == "/opt/baker/stubs"


def test_cpu_as_a_setting(machine: Machine) -> None:
    start = machine.start(*WORKER, env={**NO_DRIVER, "MOSHI_ACCEL": "cpu"})
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on the CPU, as asked for by MOSHI_ACCEL=cpu")
    assert start.args == ["worker", "--cpu", "--config", "configs/local.toml"]


def test_cpu_beside_a_card_keeps_the_real_driver(machine: Machine) -> None:
    start = machine.start(*WORKER, "--cpu", env=card(L4))
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on the CPU")
    assert start.env["LD_LIBRARY_PATH"] == "/standins/driver"


def test_image_baked_for_the_cpu(machine: Machine) -> None:
    start = machine.start(*WORKER, image="cpu")
    start.runs("/opt/baker/bin/moshi-server-cpu", "0.6.4 on the CPU, as asked for by an image baked with --accel cpu")
    assert start.args == list(WORKER)


# ------------------------------------------------------------------------------------------------------------- binaries


def test_own_binary(machine: Machine) -> None:
    machine.start(*WORKER, env=card(T4, MOSHI_SERVER_BIN="/standins/server")).runs(
        "/standins/server", "MOSHI_SERVER_BIN"
    )


@pytest.mark.parametrize(
    ("binary", "problem"),
    [
        ("/nowhere", "/nowhere does not exist"),
        ("/app/configs/asr.toml", "is not executable for uid 1000"),
        ("/standins/server-broken", "missing: libgone.so.7"),
    ],
)
def test_own_binary_that_cannot_run(machine: Machine, binary: str, problem: str) -> None:
    machine.start(*WORKER, env=card(L4, MOSHI_SERVER_BIN=binary)).refuses(45, "binary-unusable", problem)


def test_never_a_silent_cpu_run(machine: Machine) -> None:
    env = card(L4, MOSHI_SERVER_BIN="/standins/server-cpu")
    machine.start(*WORKER, env=env).refuses(52, "cpu-binary", "/standins/server-cpu", "--cpu or MOSHI_ACCEL=cpu")
    machine.start(*WORKER, env={**env, "MOSHI_ACCEL": "cuda"}).runs("/standins/server-cpu")


def test_baked_version_and_features_may_be_named(machine: Machine) -> None:
    env = card(L4, MOSHI_SERVER_VERSION="v0.6.4", MOSHI_SERVER_FEATURES="cuda")
    machine.start(*WORKER, env=env).runs("/opt/baker/bin/moshi-server-cuda-80", "0.6.4 (cuda)")


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        ({"MOSHI_SERVER_VERSION": "0.7.0"}, "0.7.0 (cuda)"),
        ({"MOSHI_SERVER_FEATURES": "cuda,nccl"}, "0.6.4 (cuda,nccl)"),
    ],
)
def test_not_baked_names_both_ways_out(machine: Machine, wish: dict[str, str], asked: str) -> None:
    start = machine.start(*WORKER, env=card(L4, **wish))
    start.refuses(
        46, "not-baked", f"{asked} is asked for, 0.6.4 (cuda) is baked", "mount a folder", "--variant builder"
    )


def seed(machine: Machine, volume: str, binary: str) -> None:
    """Leave a binary in the volume, as the start script that baker replaces did."""
    copy = machine.start(
        "sh",
        "-c",
        f"mkdir /app/target/release && cp {binary} /app/target/release/moshi-server",
        volumes=target(volume),
    )
    assert copy.code == 0, copy


def test_cached_binary_of_the_earlier_layout(machine: Machine, volume: str) -> None:
    seed(machine, volume, "/standins/server")
    start = machine.start(*WORKER, env=card(L4, MOSHI_SERVER_VERSION="0.7.0"), volumes=target(volume))
    start.runs("/app/target/release/moshi-server", "a binary whose version is not known, from /app/target")


def test_cached_binary_must_fit(machine: Machine, volume: str) -> None:
    seed(machine, volume, "/standins/server-0.6.3")
    start = machine.start(*WORKER, env=card(L4, MOSHI_SERVER_VERSION="0.7.0"), volumes=target(volume))
    start.refuses(46, "not-baked", "/app/target/release/moshi-server is version 0.6.3")
    start = machine.start(*WORKER, env=card(L4, MOSHI_SERVER_VERSION="0.6.3"), volumes=target(volume))
    start.runs("/app/target/release/moshi-server", "0.6.3, from /app/target")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (L4, "missing: libgone.so.7"),
        ("NVIDIA H100, 9.0, 570.86.15", "/opt/baker/bin/moshi-server-cuda-90 does not exist"),
    ],
    ids=["not loadable", "missing"],
)
def test_baked_binary_that_cannot_run(machine: Machine, volume: str, line: str, problem: str) -> None:
    machine.start(*WORKER, image="broken", env=card(line)).refuses(46, "not-baked", problem, "--variant builder")
    seed(machine, volume, "/standins/server")
    start = machine.start(*WORKER, image="broken", env=card(line), volumes=target(volume))
    start.runs("/app/target/release/moshi-server")


# ------------------------------------------------------------------------------------------------------------ compiling

COMPILED = "/app/target/release/moshi-server-0.7.0-cuda-80"
NEWER = card(L4, MOSHI_SERVER_VERSION="0.7.0")


# An empty volume takes the folder's mode from the image at every start, one with a file keeps its own.
KEEP = "touch /app/target/.keep /tmp/unmute_logs/.keep; "


def inside(machine: Machine, volume: str, command: str) -> tuple[str, ...]:
    return machine.start("bash", "-c", command, volumes=target(volume)).out


def test_builder_compiles_once_for_two_containers(machine: Machine, volume: str) -> None:
    options: dict[str, Any] = {"image": "builder", "env": NEWER, "volumes": target(volume)}
    with machine.started(*WORKER, **options) as one, machine.started(*WORKER, **options) as two:
        both = (ended(one), ended(two))
    assert [start.code for start in both] == [0, 0], both
    assert [start.binary for start in both] == [COMPILED, COMPILED], both
    compiles = inside(machine, volume, "cat /app/target/compiles")
    assert compiles == ("cargo: version=0.7.0 capability=80 folder=/app/target/build",)
    later = machine.start(*WORKER, env=NEWER, volumes=target(volume))
    later.runs(COMPILED, "0.7.0 (cuda), compiled earlier")


def test_progress_passes_through(machine: Machine, volume: str) -> None:
    start = machine.start(*WORKER, image="builder", env=NEWER, volumes=target(volume))
    assert start.said[0].startswith("moshi-server: note: 0.7.0 (cuda) is asked for, 0.6.4 (cuda) is baked: compiling")
    assert start.said[1].startswith("cargo: "), start
    assert start.said[2].startswith("moshi-server: run: 0.7.0 (cuda), just compiled, on NVIDIA L4"), start


def test_killed_compile_leaves_nothing_to_take(machine: Machine, volume: str) -> None:
    env = {**NEWER, "CARGO_STALLS": "1"}
    with machine.started(*WORKER, image="builder", env=env, volumes=target(volume)) as container:
        until_said(container, "cargo: ")
        container.kill()
    assert inside(machine, volume, "ls /app/target/release") == ()
    assert inside(machine, volume, "ls -d /app/target/.compile.*") != ()
    machine.start(*WORKER, env=NEWER, volumes=target(volume)).refuses(46, "not-baked")
    again = machine.start(*WORKER, image="builder", env=NEWER, volumes=target(volume))
    assert (again.code, again.binary) == (0, COMPILED), again
    assert inside(machine, volume, "ls -d /app/target/.compile.*") == ()


def test_compile_that_stops(machine: Machine, volume: str) -> None:
    env = {**NEWER, "CARGO_FAILS": "1"}
    start = machine.start(*WORKER, image="builder", env=env, volumes=target(volume))
    assert (start.code, start.out) == (47, ()), start
    assert start.said[-1].startswith(
        "moshi-server: compile-failed: cargo could not build moshi-server 0.7.0 (exit code 101)"
    )
    with machine.started(
        *WORKER, image="builder", env={**NEWER, "CARGO_STALLS": "1"}, volumes=target(volume)
    ) as container:
        until_said(container, "cargo: ")
        began = time.monotonic()
        container.stop(timeout=30)
        assert time.monotonic() - began < 10


def test_volume_that_takes_no_compile(machine: Machine, volume: str) -> None:
    assert machine.start("sh", "-c", KEEP + "chmod 0755 /app/target", user="0", volumes=target(volume)).code == 0
    start = machine.start(*WORKER, image="builder", env=NEWER, volumes=target(volume))
    start.refuses(48, "target-not-writable", "uid 1000", "/app/target", "`chown -R 1000:1000`")


# -------------------------------------------------------------------------------------------------------------- folders

SHOW_TOKEN = ("bash", "-c", "cd $HF_HOME && stat -c '%a %u' token && cat token")


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_token_is_written_for_hf_hub(machine: Machine, volume: str, name: str) -> None:
    start = machine.start(*WORKER, env=card(L4, **{name: " hf_secret\n"}), volumes=cache(volume))
    start.runs("/opt/baker/bin/moshi-server-cuda-80")
    assert "hf_secret" not in "".join((*start.out, *start.said))
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_secret")


def test_token_from_a_file(machine: Machine, volume: str) -> None:
    env = {**card(L4), "HF_TOKEN": "", "HF_TOKEN_FILE": "/app/configs/token"}
    machine.start(*WORKER, env=env, volumes=cache(volume)).runs("/opt/baker/bin/moshi-server-cuda-80")
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_of_a_file")


def test_token_that_is_there_stays(machine: Machine, volume: str) -> None:
    for token, notes in (("hf_first", 0), ("hf_first", 0), ("hf_other", 1)):
        start = machine.start(*WORKER, env=card(L4, HF_TOKEN=token), volumes=cache(volume))
        start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=notes)
        assert "hf_" not in "".join((*start.out, *start.said))
    assert "token holds another token" in start.said[0]
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_first")
    start = machine.start(*WORKER, env=card(L4, HF_TOKEN=token), volumes=cache(volume), user="12345")
    start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=2)
    assert "uid 12345 cannot read" in start.said[0]


def test_no_token_is_fine(machine: Machine, volume: str) -> None:
    machine.start(*WORKER, env=card(L4, HF_TOKEN=""), volumes=cache(volume)).runs("/opt/baker/bin/moshi-server-cuda-80")
    assert machine.start("ls", "/root/.cache/huggingface", volumes=cache(volume)).out == ("jit",)


def test_cache_not_writable(machine: Machine) -> None:
    start = machine.start("worker", "--config", "configs/asr.toml", env=card(L4, HF_HOME="/standins/empty"))
    said = ("/standins/empty", "uid 1000", "`chown -R 1000:1000`", "hf://org/asr/model.safetensors")
    start.refuses(49, "cache-not-writable", *said)


def test_full_cache_may_be_read_only(machine: Machine) -> None:
    env = card(L4, HF_HOME="/standins/cache", CUDA_CACHE_PATH="/standins/cache/jit/cuda")
    start = machine.start("worker", "--config", "configs/asr.toml", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=1)
    assert "compiled kernels go to /tmp/moshi-jit" in start.said[0]
    assert start.env["CUDA_CACHE_PATH"] == "/tmp/moshi-jit/cuda"


@pytest.mark.parametrize("env", [{}, {**PROXY, "HF_HUB_OFFLINE": "1"}], ids=["no network", "offline"])
def test_models_missing_and_no_network(machine: Machine, env: dict[str, str]) -> None:
    start = machine.start("worker", "--config=configs/two.toml", env=card(L4, **env))
    missing = "hf://org/tts/folder/tokenizer.model and 1 more"
    start.refuses(51, "models-missing", missing, "`baker models pull`", "one start with network")


def test_models_missing_with_network_is_the_servers_turn(machine: Machine) -> None:
    env = card(L4, **PROXY)
    start = machine.start("worker", "--config", "configs/two.toml", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-80")


def test_log_folder_is_made(machine: Machine, volume: str) -> None:
    logs = {volume: {"bind": "/tmp/unmute_logs", "mode": "rw"}}
    env = card(L4, **PROXY)
    start = machine.start("worker", "--config", "configs/two.toml", env=env, volumes=logs)
    start.runs("/opt/baker/bin/moshi-server-cuda-80")
    made = machine.start("ls", "/tmp/unmute_logs/made/here", volumes=logs)
    assert re.fullmatch(r"log\.two\.\d{4}-\d\d-\d\d", made.out[0]), made


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        ("chmod 0755 /tmp/unmute_logs", "cannot write to /tmp/unmute_logs:"),
        ("touch /tmp/unmute_logs/log.local.$(date -u +%F)", "cannot write to /tmp/unmute_logs/log.local."),
    ],
    ids=["folder", "file of another uid"],
)
def test_logs_not_writable(machine: Machine, volume: str, prepare: str, problem: str) -> None:
    logs = {volume: {"bind": "/tmp/unmute_logs", "mode": "rw"}}
    assert machine.start("sh", "-c", KEEP + prepare, user="0", volumes=logs).code == 0
    start = machine.start(*WORKER, env=card(L4), volumes=logs)
    start.refuses(50, "log-not-writable", "uid 1000", problem, "`chown -R 1000:1000`")


def test_log_folder_that_cannot_be_made(machine: Machine) -> None:
    env = card(L4, **PROXY)
    tmpfs = {"/root/.cache/huggingface": "mode=1777"}
    start = machine.start("worker", "--config", "configs/two.toml", env=env, read_only=True, tmpfs=tmpfs)
    start.refuses(50, "log-not-writable", "there is no /tmp/unmute_logs/made/here", "tmpfs")


# ---------------------------------------------------------------------------------------------------- arguments, limits


def test_arguments_pass_untouched(machine: Machine) -> None:
    odd = ["worker", "--config", "configs/local.toml", "--log", "a  b", "", 'it\'s "quoted"', "$HOME *", "\\n"]
    assert machine.start(*odd, env=card(L4)).args == odd


@pytest.mark.parametrize(
    "command", [("validate", "configs/asr.toml"), ("configs", "tts.py"), ("--help",), ("worker", "--help")]
)
def test_commands_that_compute_nothing_need_no_card(machine: Machine, command: tuple[str, ...]) -> None:
    start = machine.start(*command)
    assert (start.code, start.said) == (0, ()), start
    assert (start.binary, start.args) == ("/opt/baker/bin/moshi-server-cuda-80", list(command))


def test_commands_of_the_image(machine: Machine) -> None:
    assert machine.start("sh").code == 0
    assert machine.start("bash", "-c", 'printf "<%s>" "$@"; exit 7', "-", "a b", "c") == Outcome(
        code=7, out=("<a b><c>",), said=()
    )
    machine.start("wroker").refuses(127, "unknown-command", "wroker")


@pytest.mark.parametrize(
    "env", [{"MOSHI_ACCEL": "gpu"}, {"MOSHI_SERVER_VERSION": "../x"}, {"MOSHI_SERVER_FEATURES": "a;b"}]
)
def test_bad_settings(machine: Machine, env: dict[str, str]) -> None:
    machine.start(*WORKER, env=card(L4, **env)).refuses(44, "bad-setting", next(iter(env.values())))


def test_config_that_is_not_there(machine: Machine) -> None:
    start = machine.start("worker", "--config", "configs/none.toml", env=card(L4))
    start.refuses(53, "config-missing", "configs/none.toml", "/app")


def test_hardened_with_any_uid(machine: Machine, volume: str) -> None:
    start = machine.start(
        *WORKER,
        env=card(L4),
        user="12345",
        read_only=True,
        cap_drop=["ALL"],
        volumes=cache(volume),
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "", "/tmp/unmute_logs": "mode=1777"},
    )
    start.runs("/opt/baker/bin/moshi-server-cuda-80")


def test_every_reason_is_documented() -> None:
    in_script = set(re.findall(r"\bdie (\d+) ([a-z-]+)", SCRIPT.read_text()))
    in_table = set(re.findall(r"\| (\d+) \| `([a-z-]+)` \|", (TOP / "docs/fallback.md").read_text()))
    assert in_script == in_table
    assert len({code for code, _ in in_script}) == len(in_script)
