"""What the tests of the doctor ask of its findings."""

from __future__ import annotations


def by_name(findings):
    return {finding.name: finding for finding in findings}


def commands(finding):
    """Return the commands of what can be done."""
    assert finding.fix is not None
    return finding.fix.commands
