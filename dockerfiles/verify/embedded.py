"""A `script` for moshi-server's Py module: imports modules in the embedded interpreter and ends the server."""

import importlib
import os
import sys
import sysconfig
from pathlib import Path


def init(batch_size: int, config: dict[str, list[str]]) -> None:
    """Do what tts.py does when the server starts; `config` is the table [modules.NAME.py]."""
    del batch_size
    modules = [importlib.import_module(name) for name in config["imports"]]
    versions = [f"{module.__name__} {module.__version__}" for module in modules if hasattr(module, "__version__")]
    loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libpython" in line}
    own = f"{sysconfig.get_config_var('LIBDIR')}/{sysconfig.get_config_var('INSTSONAME')}"
    # Another build of the same version starts too, and fails later in modules that it does not fit.
    if loaded != {own}:
        sys.exit(f"the server loads {', '.join(sorted(loaded))}, the environment is made for {own}")
    print(f"EMBEDDED {len(modules)} imports in {sys.prefix}:", ", ".join(versions), flush=True)
    os._exit(0)
