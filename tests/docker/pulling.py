"""`baker models pull` for tests: a hub with what the project's own configs name, and the command line."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker.models import hub as asked
from tests import run
from tests.docker import hub as standin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.hub import Hub

TOP = Path(__file__).parents[2]
STT, TTS, VOICES = "kyutai/stt-1b-en_fr-candle", "kyutai/tts-1.6b-en_fr", "kyutai/tts-voices"
WEIGHTS = "model.safetensors"
SIZE = 3_000_000
CHUNK = asked.CHUNK
DEFAULT = "unmute-prod-website/default_voice.wav.1e68beda@240.safetensors"
OTHER = "unmute-prod-website/p329_022.wav.1e68beda@240.safetensors"
BELOW = "unmute-prod-website/freesound/440565_why-is-there-educationwav.mp3.1e68beda@240.safetensors"
FAR = "vctk/p225_023.wav.1e68beda@240.safetensors"
NAMES = {
    "moshi_name": "dsm_tts_1e68beda@240.safetensors",
    "mimi_name": "tokenizer-e351c8d8-checkpoint125.safetensors",
    "tokenizer_name": "tokenizer_spm_8k_en_fr_audio.model",
}
STT_FILES = {WEIGHTS, "tokenizer_en_fr_audio_8000.model", "mimi-pytorch-e351c8d8@125.safetensors"}


def noise(name: str, size: int = 2000) -> bytes:
    return random.Random(name).randbytes(size)  # noqa: S311 - the same in every run


@contextmanager
def served() -> Iterator[Hub]:
    """Serve a hub with what the project's own configs name, and more."""
    found = standin.Hub(
        repos={
            STT: {name: noise(name, SIZE if name == WEIGHTS else 2000) for name in sorted(STT_FILES)}
            | {"README.md": b"# read\r\n", "other.safetensors": noise("other")},
            TTS: {name: noise(name) for name in NAMES.values()} | {"config.json": json.dumps(NAMES).encode()},
            VOICES: {name: noise(name) for name in (DEFAULT, OTHER, BELOW, FAR)} | {"README.md": b"voices"},
        },
        commits={STT: "1" * 40, TTS: "2" * 40, VOICES: "3" * 40},
    )
    with standin.serve(found):
        yield found


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def states(self) -> dict[str, str]:
        return {state["file"].removeprefix("hf://"): state["state"] for state in json.loads(self.out)}


@dataclass
class Baker:
    """The command line, with a cache of its own and nothing of the machine's."""

    hub: Hub
    home: Path

    def argv(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "baker", "models", "pull", "--project", str(TOP), *options]

    def environment(self, **more: str) -> dict[str, str]:
        gone = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
        kept = {name: value for name, value in os.environ.items() if name not in gone}
        return {**kept, "PYTHONWARNINGS": "error", "HF_ENDPOINT": self.hub.endpoint, "HF_HOME": str(self.home), **more}

    def pull(self, *options: str, **more: str) -> Done:
        argv, env = self.argv(*options), self.environment(**more)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def repository(self, repo: str) -> Path:
        return self.home / "hub" / f"models--{repo.replace('/', '--')}"

    def has(self, repo: str) -> dict[str, bytes]:
        """What hf-hub finds: the files below snapshots/ of the commit that refs/main names."""
        top = self.repository(repo)
        below = top / "snapshots" / (top / "refs/main").read_text()
        return {str(path.relative_to(below)): path.read_bytes() for path in below.rglob("*") if path.is_file()}


def docker(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@contextmanager
def made_volume() -> Iterator[str]:
    """Make a volume, as compose makes one."""
    name = run.name(uuid.uuid4().hex[:8])
    docker("volume", "create", "--label", f"com.docker.compose.volume={name}-models", name)
    try:
        yield name
    finally:
        docker("volume", "rm", name)
