"""Run a command on the Docker engine of a Debian suite, which begins empty and ends with the command.

    python -m tests.engines sid make images test
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.engines import own, suites


def main(argv: list[str]) -> int:
    """Return the exit code of the command, or 2 when there is no such suite, or no way to bring its engine up."""
    name, *command = argv or [""]
    if name not in suites.SUITES or not command:
        print(f"usage: python -m tests.engines {'|'.join(suites.SUITES)} COMMAND...", file=sys.stderr)
        return 2
    if hindrance := suites.lacking():
        print(hindrance, file=sys.stderr)
        return 2
    with own.used(suites.SUITES[name]) as engine:
        # With buildx of that suite, too.
        environment = {**os.environ, "DOCKER_CONFIG": engine.environment["DOCKER_CONFIG"]}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
