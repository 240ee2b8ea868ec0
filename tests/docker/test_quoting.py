"""What service.toml says reaches the image as it stands, whatever characters it has."""

from __future__ import annotations

import json

NASTY = {
    "SPACES": "a  b",
    "APOSTROPHE": "it's",
    "QUOTES": 'say "yes"',
    "BACKSLASH": "a\\",
    "VARIABLE": "$HOME ${PATH}",
    "JSON": '{"a": [1, "b\\"c"]}',
    "HASH": "# no comment",
    "SHELL": "`id` $(id); exit 1 #",
    "UNICODE": "Größe 日本",
    "EMPTY": "",
}


def test_env_labels_and_arguments(project, engine):
    text = (project.root / "services/hello/service.toml").read_text()
    env = "\n".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in NASTY.items())
    arguments = json.dumps(["--version", *NASTY.values()], ensure_ascii=False)
    description = json.dumps(NASTY["VARIABLE"] + NASTY["JSON"] + NASTY["UNICODE"], ensure_ascii=False)
    tables = f"[image]\ncommand = {arguments}\n[image.env]\n{env}\n"
    project.write(
        "services/hello/service.toml", f"description = {description}\n{text.replace('[[image', tables + '[[image', 1)}"
    )
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    config = engine.images.get(project.image).attrs["Config"]
    found = dict(each.split("=", 1) for each in config["Env"])
    assert {name: found.get(name) for name in NASTY} == NASTY
    assert config["Labels"]["org.opencontainers.image.description"] == json.loads(description)
    assert config["Cmd"] == json.loads(arguments)
