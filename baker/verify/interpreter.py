"""The interpreter that moshi-server embeds is not the one that a shell in the image starts: what can it import?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from baker.engine import containers
from baker.errors import CommandError, EngineError
from baker.synthetic import archive
from baker.verify.checks import HARDENED, SCRIPTS, Check, text, why

if TYPE_CHECKING:
    from baker.dockerfile.requirements import Requirements
    from baker.engine.interface import Engine

FOLDER = "/models"


def check(engine: Engine, reference: str, expected: Requirements) -> Check:
    """Import modules in the interpreter that the binary embeds, by way of a Py module's own script."""
    model = archive.make("Py", seen_as=FOLDER)
    config = model.files[model.config].decode()
    config = config.replace('type = "Py"', f'type = "Py"\nscript = "{FOLDER}/embedded.py"')
    config = config.replace("[modules.tts_py.py]", f"[modules.tts_py.py]\nimports = {json.dumps(expected.imports)}")
    files = {
        "embedded.toml": config.encode(),
        "embedded.py": (SCRIPTS / "embedded.py").read_bytes(),
        "tokenizer.model": model.files["tokenizer.model"],
    }
    packed = archive.Model(config="embedded.toml", path="", files=files).packed()
    command = ["-c", text("embedded"), "embedded", expected.binary, f"{FOLDER}/embedded.toml"]
    try:
        output = containers.run_once(
            engine, reference, command, entrypoint="/bin/bash", volume=(FOLDER, packed), user="1000:1000", **HARDENED
        )
    except (CommandError, EngineError) as error:
        return Check(name="embedded", passed=False, detail=why(error))
    found = [line.partition("EMBEDDED ")[2] for line in output.splitlines() if "EMBEDDED " in line]
    return Check(name="embedded", passed=bool(found), detail=found[0] if found else "the interpreter did not start")
