"""A `script` for moshi-server's Py module: looks around inside the embedded interpreter, then ends the server."""

import json
import os
import ssl
import sys
import sysconfig
from pathlib import Path

import huggingface_hub
import moshi.conditioners
import moshi.models
import moshi.modules
import numpy as np
import pydantic
import safetensors.torch
import torch

IMPORTED = (huggingface_hub, moshi.conditioners, moshi.models, moshi.modules, np, pydantic, safetensors.torch, torch)


def init(batch_size, config):
    del batch_size, config
    maps = Path("/proc/self/maps").read_text().splitlines()
    found = {
        "imports": [module.__name__ for module in IMPORTED],
        "ssl": ssl.OPENSSL_VERSION,
        "torch": torch.__version__,
        "prefix": sys.prefix,
        "base": sys.base_prefix,
        "loaded": sorted({line.split()[-1] for line in maps if "/libpython" in line}),
        "library": f"{sysconfig.get_config_var('LIBDIR')}/{sysconfig.get_config_var('INSTSONAME')}",
    }
    print("EMBEDDED " + json.dumps(found), flush=True)  # noqa: T201 - the test reads the log
    os._exit(0)
