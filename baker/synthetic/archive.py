"""A synthetic model with its config, packed as it goes into a container."""

from __future__ import annotations

import io
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker.synthetic import stt_model, tts_model

if TYPE_CHECKING:
    from collections.abc import Sequence

# By the type of a module in moshi-server's config.
KINDS = {"BatchedAsr": (stt_model.write_model, "stt.toml"), "Py": (tts_model.write_model, "tts.toml")}


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model for one kind of module. `config` and `files` lie side by side; `path` is where the module is served."""

    config: str
    path: str
    files: dict[str, bytes]

    def command(self, command: Sequence[str], folder: str) -> list[str]:
        """Return an image's command with this model, whose files are in a folder of the container."""
        changed = list(command)
        changed[changed.index("--config") + 1] = f"{folder}/{self.config}"
        return changed

    def packed(self) -> bytes:
        """Return the files as a compressed tar archive."""
        buffer = io.BytesIO()
        # Nearly all of it is zero.
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
            for name, content in sorted(self.files.items()):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o644
                archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


def make(kind: str, *, seen_as: str) -> Model:
    """Return the model for one of KINDS; `seen_as` is its folder in the container."""
    write, config = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), seen_as=seen_as)
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    (module,) = tomllib.loads(files[config].decode())["modules"].values()
    return Model(config=config, path=module["path"], files=files)
