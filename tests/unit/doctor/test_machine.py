"""Memory, cores, clocks and proxies of machines of all kinds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baker.doctor import machine, network
from tests.unit.doctor.findings import by_name
from tests.unit.fakes import HERE, FakeEngine

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
GB = 10**9


@pytest.mark.parametrize(
    ("told", "memory", "cores"),
    [({"MemTotal": 32 * GB, "NCPU": 16}, "ok", "ok"), ({"MemTotal": 4 * GB, "NCPU": 2}, "note", "note")],
)
def test_memory_and_cores(told, memory, cores):
    found = by_name(machine.power(told))
    assert (found["memory"].state, found["cores"].state) == (memory, cores)


def test_an_engine_that_says_nothing():
    assert machine.info(FakeEngine()) == {}
    assert machine.power({}) == ()
    assert machine.clock({}, NOW, None).state == "ok"


@pytest.mark.parametrize(
    ("engine", "server", "state", "said"),
    [
        ("2026-11-26T12:00:01.123456789Z", NOW, "ok", "agrees with the engine and the network"),
        ("2026-11-26T13:00:00.1Z", NOW, "note", "the engine is 3600 s ahead"),
        ("", NOW - timedelta(days=1), "note", "the network is 86400 s behind"),
        ("nonsense", None, "ok", "nothing answers"),
    ],
)
def test_clocks(engine, server, state, said):
    found = machine.clock({"SystemTime": engine}, NOW, server)
    assert found.state == state
    assert said in found.detail


@pytest.mark.parametrize(
    ("environment", "told", "state", "said"),
    [
        ({}, {}, "ok", "none"),
        ({"HTTPS_PROXY": "http://me:secret@proxy:3128"}, {}, "note", "HTTPS_PROXY=http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, {"HttpsProxy": "http://proxy:3128"}, "ok", "engine: http://proxy"),
        ({}, {"HttpProxy": "http://proxy:3128"}, "note", "the environment has none"),
        ({"NO_PROXY": "localhost"}, {}, "ok", "NO_PROXY=localhost"),
    ],
)
def test_proxies(environment, told, state, said):
    found = network.proxy(environment, told)
    assert found.state == state
    assert said in found.detail
    assert "secret" not in found.detail


@pytest.fixture
def interfaces(tmp_path):
    """The kernel's list of interfaces: docker0 was given an address, mine0 takes what there is."""
    for name, kind in (("docker0", "3\n"), ("mine0", "1\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "addr_assign_type").write_text(kind)
    return tmp_path


@pytest.mark.parametrize(("name", "state"), [("docker0", "ok"), ("mine0", "note")])
def test_a_bridge_has_an_address_of_its_own(interfaces, name, state):
    (found,) = network.bridge(FakeEngine(commands={"network inspect": f"{name}\n"}), interfaces)
    assert found.state == state
    assert name in found.detail
    assert ("ip link set dev mine0 address" in found.detail) == (state == "note")


@pytest.mark.parametrize(
    "engine",
    [
        FakeEngine(commands={"network inspect": "docker0"}, info={**HERE, "local": False}),
        FakeEngine(commands={"network inspect": "elsewhere0"}),
        FakeEngine(commands={"network inspect": ""}),
        FakeEngine(),
    ],
    ids=["another machine", "another network namespace", "no name", "no such network"],
)
def test_a_bridge_that_cannot_be_looked_at(engine, interfaces):
    assert network.bridge(engine, interfaces) == ()
