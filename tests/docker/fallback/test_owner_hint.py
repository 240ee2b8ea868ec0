"""docs/fallback.md: what helps a folder that is not writable, where the container can see what is special."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.docker.fallback.machine import Machine

# The functions by which the script reads /proc are replaced: no engine here has these.
ASK = """
parts=/opt/baker/start
. $parts/globals.sh; . $parts/messages.sh
gid=1000
id_map() {{ printf '%b' '{map}'; }}
security_label() {{ printf '%s' '{label}'; }}
owner_hint
"""
PLAIN = "         0          0 4294967295\\n"
ROOTLESS = "         0       1001          1\\n         1     100000      65536\\n"
REMAPPED = "         0     165536      65536\\n"
APPARMOR = "docker-default (enforce)"
SELINUX = "system_u:system_r:container_t:s0:c57,c861"


@pytest.mark.parametrize(
    ("map_", "label", "has", "lacks"),
    [
        (PLAIN, APPARMOR, ["`chown -R 1000:1000` on the folder"], ["namespace", "SELinux"]),
        (PLAIN, SELINUX, ["`chown -R 1000:1000` on the folder", ":z, as in"], ["namespace"]),
        (
            ROOTLESS,
            "",
            ["uid 1000 is 100999", "`chown -R 100999:100999` on the host", "--user 0, which is uid 1001"],
            [],
        ),
        (REMAPPED, "", ["`chown -R 166536:166536` on the host", "-R 1000:1000 /x"], ["--user 0, which", "SELinux"]),
        (REMAPPED, SELINUX, ["`chown -R 166536:166536` on the host", ":z, as in"], []),
        ("", "", ["`chown -R 1000:1000` on the folder"], ["namespace"]),
    ],
    ids=["plain", "SELinux", "rootless", "userns-remap", "both", "unknown"],
)
def test_what_helps(machine: Machine, map_: str, label: str, has: list[str], lacks: list[str]) -> None:
    hint = machine.start("bash", "-c", ASK.format(map=map_, label=label))
    assert (hint.code, hint.said, len(hint.out)) == (0, (), 1), hint
    assert [part for part in has if part not in hint.out[0]] == [], hint
    assert [part for part in lacks if part in hint.out[0]] == [], hint


def test_the_kernels_own_words(machine: Machine) -> None:
    read = ". /opt/baker/start/messages.sh; id_map uid; echo; id_map gid; echo; security_label >/dev/null; echo done"
    start = machine.start("bash", "-c", read)
    assert [len(line.split()) for line in start.out] == [3, 3, 1], start
