"""docs/fallback.md: which binary runs."""

from __future__ import annotations

import pytest

from tests.docker.fallback.machine import L4, T4, WORKER, Machine, card, target


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
