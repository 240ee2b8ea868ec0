"""Run a command on the Docker engine of a Debian suite: `python -m tests.engines sid make images test`.

The engine begins empty, and ends with the command.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.engines import own, suites


def main(argv: list[str]) -> int:
    """Return the exit code of the command.

    Raises:
        SystemExit: there is no such suite, or no way to bring its engine up.
    """
    name, *command = argv or [""]
    if name not in suites.SUITES or not command:
        sys.exit(f"usage: python -m tests.engines {'|'.join(suites.SUITES)} COMMAND...")
    if hindrance := suites.lacking():
        sys.exit(hindrance)
    with own.used(suites.SUITES[name]) as engine:
        # With buildx of that suite, too.
        environment = {**os.environ, "DOCKER_CONFIG": engine.environment["DOCKER_CONFIG"]}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
