"""Print, as JSON, where the interpreter of an image has its program, its library, its headers and its packages."""

import importlib.metadata
import json
import sys
import sysconfig
from pathlib import Path

paths = sysconfig.get_paths()
found = {
    "version": f"{sys.version_info[0]}.{sys.version_info[1]}",
    "torch": importlib.metadata.version("torch").partition("+")[0],
    "program": str(Path(sys.executable).resolve()),
    "headers": paths["include"],
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "stdlib": sorted(map(str, Path(paths["stdlib"]).iterdir())),
    "packages": sorted(map(str, Path(paths["platlib"]).iterdir())),
}
print(json.dumps(found))
