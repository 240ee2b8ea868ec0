"""docs/fallback.md: starts on the CPU."""

from __future__ import annotations

from tests.docker.fallback.machine import L4, NO_DRIVER, WORKER, Machine, card


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
