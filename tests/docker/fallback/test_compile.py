"""docs/fallback.md: compiling into a volume."""

from __future__ import annotations

from typing import Any

from tests.docker.fallback.machine import KEEP, L4, WORKER, Machine, card, ended, target, until_said

COMPILED = "/app/target/release/moshi-server-0.7.0-cuda-80"
NEWER = card(L4, MOSHI_SERVER_VERSION="0.7.0")


def inside(machine: Machine, volume: str, command: str) -> tuple[str, ...]:
    return machine.start("bash", "-c", command, volumes=target(volume)).out


def test_builder_compiles_once_for_two_containers(machine: Machine, volume: str) -> None:
    options: dict[str, Any] = {"image": "builder", "env": NEWER, "volumes": target(volume)}
    with machine.started(*WORKER, **options) as one, machine.started(*WORKER, **options) as two:
        both = (ended(one), ended(two))
    assert [start.code for start in both] == [0, 0], both
    assert [start.binary for start in both] == [COMPILED, COMPILED], both
    compiles = inside(machine, volume, "cat /app/target/compiles")
    assert compiles == ("cargo: version=0.7.0 capability=80 folder=/app/target/build/80",)
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
        container.stop(timeout=60)
        # 137 is what Docker had to kill after the minute.
        assert container.wait()["StatusCode"] != 137


def test_volume_that_takes_no_compile(machine: Machine, volume: str) -> None:
    assert machine.start("sh", "-c", KEEP + "chmod 0755 /app/target", user="0", volumes=target(volume)).code == 0
    start = machine.start(*WORKER, image="builder", env=NEWER, volumes=target(volume))
    start.refuses(48, "target-not-writable", "uid 1000", "/app/target", "`chown -R 1000:1000`")


def test_what_cargo_leaves_behind_keeps_nobody_waiting(machine: Machine, volume: str) -> None:
    env = {**NEWER, "CARGO_LEAVES": "1", "SERVER_STAYS": "1"}
    with machine.started(*WORKER, image="builder", env=env, volumes=target(volume)) as first:
        until_said(first, "binary ")
        assert b"sleep" in first.exec_run(["sh", "-c", "cat /proc/[0-9]*/comm"]).output, "nothing was left behind"
        env = {**NEWER, "MOSHI_SERVER_VERSION": "0.7.1"}
        second = machine.start(*WORKER, image="builder", env=env, volumes=target(volume))
        first.reload()
        assert first.status == "running"
    assert (second.code, second.binary) == (0, "/app/target/release/moshi-server-0.7.1-cuda-80"), second
    assert not [line for line in second.said if "waiting" in line], second
