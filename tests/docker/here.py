"""The engine that the tests use: the one of the environment."""

from __future__ import annotations

import os

from baker.engine.client import Docker

ENGINE = Docker(os.environ)
