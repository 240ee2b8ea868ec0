"""docs/fallback.md: log folders."""

from __future__ import annotations

import re

import pytest

from tests.docker.fallback.machine import KEEP, L4, PROXY, WORKER, Machine, card


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
