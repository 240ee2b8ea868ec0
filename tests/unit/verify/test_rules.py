"""What decides whether an image passes: all that the checks import is part of the digest."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

from baker.verify import rules

PACKAGE = Path(str(resources.files("baker")))
# They say how something is said or reached, and decide nothing.
ELSEWHERE = {
    "baker",
    "baker.config.model",
    "baker.config.toml",
    "baker.dockerfile.labels",
    "baker.dockerfile.plan",
    "baker.dockerfile.render",
    "baker.errors",
    "baker.speech",
    "baker.speech.synthesis",
    "baker.speech.transcription",
    "baker.speech.wire",
    "baker.system.disk",
    "baker.system.emulation",
    "baker.system.files",
    "baker.system.image_names",
    "baker.system.process",
    "baker.system.userfolder",
    "baker.system.suggestion",
    "baker.system.units",
}


def imported(file):
    """Return the modules of baker that a module imports when it runs."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "baker":
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if path(whole).exists() else node.module


def path(module):
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def test_all_that_the_checks_import_decides():
    files = {Path(str(file)) for file in rules.sources()}
    assert PACKAGE / "verify/verifier.py" in files
    for file in sorted(file for file in files if file.suffix == ".py" and PACKAGE in file.parents):
        if "templates" in file.parts:
            continue
        for module in imported(file):
            assert path(module) in files or module in ELSEWHERE, f"{file} imports {module}"


def test_folders_and_what_python_compiled_are_left_out(tmp_path, monkeypatch):
    (tmp_path / "verify/__pycache__").mkdir(parents=True)
    (tmp_path / "verify/files").write_text("x")
    monkeypatch.setattr(rules, "TEMPLATES", tmp_path)
    assert tmp_path / "verify/files" in set(rules.sources())
    assert tmp_path / "verify/__pycache__" not in set(rules.sources())
