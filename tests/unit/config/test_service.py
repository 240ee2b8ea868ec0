"""Reading services: what is wrong is said with file, table and key."""

from __future__ import annotations

import pytest

from baker.config.service import File
from baker.errors import UsageError

CRATE = "[crate]\nname = 'x'\n"


def test_a_crate_is_enough(found):
    found = found('[crate]\nname = "hello"\n')
    assert (found.name, found.title, found.crate.binary, found.python) == ("hello", "hello", "hello", None)
    assert (found.crate.features, found.image.packages) == ({"cuda": (), "cpu": ()}, {"nvidia": (), "debian": ()})
    assert (found.image.workdir, found.image.port, found.image.budget) == ("/app", 0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[crate]\nname = 1", r"service.toml \[crate\]: 'name' is 1, where the name of a crate belongs"),
        ("", "service.toml: 'crate' is missing"),
        ('"*" = "a\\nb"', r"service.toml: '\*' is .* control character"),
        ("[crate]", r"\[crate\]: 'name' is missing"),
        ("[crate]\nnane = 'x'", "unknown key 'nane'; did you mean 'name'"),
        ("crate = 'x'", "'crate' is 'x', where a table belongs"),
        (CRATE + "binnary = 'y'", r"\[crate\]: unknown key 'binnary'; did you mean 'binary'"),
        (CRATE + "[imgae]\nport = 1", r"unknown table \[imgae\]; did you mean 'image'"),
        (CRATE + "features = ['cuda']", r"'features' is \['cuda'\], where a table belongs"),
        (CRATE + "features = { cdua = [] }", r"\[crate.features\]: unknown key 'cdua'; did you mean 'cuda'"),
        (CRATE + "[image.packages]\nubuntu = []", r"\[image.packages\]: unknown key 'ubuntu'"),
        (CRATE + "[image]\nport = true", "'port' is true, where a port from 1 to 65535 belongs"),
        (CRATE + "[image]\ncommand = 'x'", "'command' is 'x', where an array belongs"),
        (CRATE + "[image]\ncommand = [1]", r"\[image\]: 'command' has 1, where a string belongs"),
        (CRATE + "[image]\nfiles = [1]", r"\[image\]: 'files' has 1, where a table belongs"),
        (CRATE + "[[image.files]]\nfrom = 'no'\nto = '/a'", "there is no 'no' beside the file"),
        (CRATE + "[[image.files]]\nto = '/a'", r"\[\[image.files\]\]: 'from' is missing"),
        (CRATE + "[[image.files]]\nfrom = 1\nto = '/a'", r"\[\[image.files\]\]: 'from' is 1, where a path belongs"),
        (CRATE + "[image]\ntools = [1]", "'tools' has 1, where a path belongs"),
        (CRATE + "embeds-python = true", r"embeds-python needs a \[python\] table"),
        ("inherits = 'service.toml'", "inherits itself"),
        ("inherits = 'nothing.toml'", "there is no 'nothing.toml' beside the file"),
        ("inherits = 1", "'inherits' is 1, where a string belongs"),
    ],
)
def test_a_wrong_service(found, text, message):
    with pytest.raises(UsageError, match=message) as error:
        found(text)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "value", "belongs"),
    [
        ("image", "port = 99999", "a port from 1 to 65535"),
        ("image", "port = -1", "a port from 1 to 65535"),
        ("image", "budget = '-5 GB'", "a size belongs, as in '1.35 GB'"),
        ("image", "budget = 'inf GB'", "a size"),
        ("image", "budget = '1 XB'", "a size"),
        ("image", "budget = '1e300 GB'", "a size"),
        ("image", "budget = 5", "a size"),
        ("image", "workdir = 'app'", "an absolute path"),
        ("image", "workdir = '/my app'", "an absolute path"),
        ("image", "workdir = '/app/../etc'", "an absolute path"),
        ("image", "workdir = '/$HOME'", "an absolute path"),
        ("image", "start = 'run.sh'", "an absolute path"),
        ("image", "mounts = ['cache']", "an absolute path"),
        ("image", "folders = ['/a', './b']", "an absolute path"),
        ("image", "files = [{ from = '.', to = 'b' }]", "an absolute path"),
        ("image", "files = [{ from = '.', to = '/b', mode = 'u+x' }]", "the mode of a file"),
        ("image", "packages = { debian = ['g++; curl evil|sh'] }", "the name of a Debian package"),
        ("image", "packages = { debian = ['-o=x'] }", "the name of a Debian package"),
        ("image", "env = { 'A B' = '1' }", "the name of a variable"),
        ("image", "env = { A = 1 }", "a string"),
        ("crate", "binary = '../sh'", "the name of a program"),
        ("crate", "features = { cuda = ['a b'] }", "a feature"),
        ("crate", "links = { cuda = ['a;b'] }", "the name of a library"),
        ("python", "imports = ['os; evil']", "a Python module"),
        ("python", "groups = ['--all']", "a dependency group"),
        ("python", "libraries = ['../../etc']", "a path below site-packages"),
        ("python", "layers = [['/etc']]", "a path below site-packages"),
        ("python", "unused = ['$(evil)']", "a pattern of paths"),
    ],
)
def test_a_value_that_is_refused(found, table, value, belongs):
    tables = {"crate": "name = 'x'", "python": "project = '.'"}
    tables[table] = f"{tables.get(table, '')}\n{value}"
    text = "\n".join(f"[{name}]\n{body}" for name, body in tables.items())
    key = value.partition(" ")[0]
    with pytest.raises(UsageError, match=rf"\[{table}[.\w]*\]*: .*where {belongs}") as error:
        found(text)
    assert key in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        'description = """one\ntwo"""\n' + CRATE,
        CRATE + '[image.env]\nA = "a\\nb"',
        CRATE + '[image.env]\n"A\\nB" = "a"',
        CRATE + '[image]\nworkdir = "/app\\n"',
        CRATE + '[image]\ncommand = ["a\\u0000b"]',
        CRATE + '[image]\ncommand = ["a\\u2028b"]',
        CRATE + '[[image.files]]\nfrom = "."\nto = "/a\\nRUN evil"',
        CRATE + '[[image.files]]\nfrom = "a\\u0000"\nto = "/a"',
        CRATE + '[verify]\nunresolved = ["\\u001b[2J"]',
    ],
)
def test_control_characters_are_refused_everywhere(found, text):
    with pytest.raises(UsageError, match="control character") as error:
        found(text)
    assert len(str(error.value).splitlines()) == 1


def test_odd_values_that_are_fine_stay_as_they_are(found):
    found = found(CRATE + "[image.env]\nA = ' a $HOME \"b\" ''c'\n".replace("''", '"') + "B = '{\"a\": 1}'\n")
    assert found.image.env == {"A": ' a $HOME "b" "c', "B": '{"a": 1}'}


@pytest.mark.parametrize(
    "name",
    [
        "root",
        "python",
        "toolchain",
        "toolchain-cuda",
        "default",
        "crate-x",
        "binary-x",
        "runtime",
        "runtime-x",
        "venv-x",
        "libraries-x",
        "tool-x",
        "stt-builder",
    ],
)
def test_a_service_is_not_called_like_a_stage(found, name):
    with pytest.raises(UsageError, match="stages of the Dockerfile are called like that"):
        found(CRATE, name)


@pytest.mark.parametrize("name", ["STT", "s t", "a--b", "-a", "a.b", "a" * 64])
def test_a_service_has_a_name_that_an_image_may_have(found, name):
    with pytest.raises(UsageError, match="lower case, digits"):
        found(CRATE, name)


def test_inherited_tables_are_merged_and_files_joined(found, tmp_path):
    folder = tmp_path / "services" / "common"
    folder.mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "base.toml").write_text(
        '[crate]\nname = "x"\n[image]\nport = 1\n[image.env]\nA = "1"\n'
        '[image.page]\nfrom = "run.sh"\nto = "/page"\n[[image.files]]\nfrom = "run.sh"\nto = "/run.sh"\n'
    )
    (tmp_path / "services" / "hello").mkdir()
    (tmp_path / "services" / "hello" / "own").write_text("x")
    found = found("""
        inherits = "../common/base.toml"
        [image]
        port = 2
        [image.env]
        B = "2"
        [[image.files]]
        from = "own"
        to = "/own"
    """)
    assert (found.image.port, found.image.env) == (2, {"A": "1", "B": "2"})
    assert found.image.page == File(source=folder / "run.sh", target="/page")
    assert [file.target for file in found.image.files] == ["/run.sh", "/own"]
    assert [file.source for file in found.image.files] == [folder / "run.sh", tmp_path / "services/hello/own"]
