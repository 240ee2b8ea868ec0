"""Files that are broken, missing, empty or of another kind are an error of one line that names the file."""

from __future__ import annotations

import pytest

from baker.config import pins, toml, uvlock
from baker.errors import BakerError, LockError, UsageError
from tests.unit.config import files

DEEP = 100_000
BROKEN = {
    "no TOML": b"[x",
    "not UTF-8": b"\xff\xfe[\x00x\x00]\x00",
    "a byte order mark": b"\xef\xbb\xbf",
    "deep arrays": b"a = " + b"[" * DEEP,
    "deep tables": b"a = " + b"{ a = " * DEEP,
    "deep keys": b"a." * 2000 + b"a = 1",
    "a number without end": b"a = 1" + b"0" * 5000,
    "no date": b"a = 2026-02-30T99:00:00",
    "a null byte": b'a = "\x00"',
    "an unknown escape": b'a = "\\q"',
    "other keys": b'"" = 3\n',
    "a list": b"[[package]]\n[[project]]\n[[image]]\n[[images]]\n[[crate]]\n[[crates]]\n",
    "numbers": b"package = 1\nproject = 1\nimage = 1\nimages = 1\ncrate = 1\ncrates = 1\ninherits = 1\n",
    "texts": b'package = ["a"]\nproject = "a"\nimage = "a"\nimages = "a"\ncrate = "a"\ncrates = "a"\n',
}


@pytest.fixture
def made(tmp_path):
    files.make(tmp_path)
    return tmp_path


def fault(folder):
    """Return what reading a project fails with."""
    with pytest.raises(BakerError) as found:
        files.read(folder)
    message = str(found.value)
    assert len(message.splitlines()) == 1, message
    assert len(message) < 1000
    assert type(found.value) in (UsageError, LockError)
    return message


def test_the_project_is_fine_as_it_is(made):
    assert [image.name for image in files.read(made).services] == ["hello"]


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", files.READ)
def test_broken(made, name, content):
    path = made / name
    path.write_bytes(content + path.read_bytes() if content == BROKEN["a byte order mark"] else content)
    assert path.name in fault(made)


@pytest.mark.parametrize("name", [name for name in files.READ if name != "baker.toml"])
def test_empty(made, name):
    (made / name).write_text("")
    # What the inherited file lacks is missing in the service.
    assert ("service.toml" if name == "services/base.toml" else (made / name).name) in fault(made)


def test_an_empty_baker_toml_is_the_defaults(made):
    (made / "baker.toml").write_text("")
    assert files.read(made).services


@pytest.mark.parametrize("name", files.READ)
def test_missing(made, name):
    (made / name).unlink()
    assert ("services" if name == files.SERVICE else (made / name).name) in fault(made)


@pytest.mark.parametrize("name", files.READ)
def test_a_folder_in_a_files_place(made, name):
    (made / name).unlink()
    (made / name).mkdir()
    assert (made / name).name in fault(made)


@pytest.mark.parametrize("line", ['from = "p"', 'tools = ["tool"]', 'project = "p"', 'inherits = "../base.toml"'])
def test_a_loop_of_links(made, line):
    (made / "services/hello/loop").symlink_to("loop")
    path = made / files.SERVICE
    old = line.split('"')[1]
    path.write_text(path.read_text().replace(line, line.replace(f'"{old}"', '"loop"')))
    assert "'loop' cannot be read: a loop of links" in fault(made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "p"\ndependencies = ["numpy >"]', r"pyproject.toml: 'numpy >' is no requirement"),
        ("name = 1", r"pyproject.toml \[project\]: 'name' is 1, where a string belongs"),
        ('name = "p"\ndependencies = "numpy"', r"\[project\]: 'dependencies' is 'numpy', where an array belongs"),
        ('name = "p"\n[dependency-groups]\na = "b"', r"\[dependency-groups\]: 'a' is 'b', where an array belongs"),
        ('name = "p"\n[dependency-groups]\na = [1]', r"\[dependency-groups\]: 'a' has 1, where a string"),
    ],
)
def test_a_pyproject_of_wrong_types(made, text, message):
    (made / files.PYPROJECT).write_text(f"[project]\n{text}\n")
    with pytest.raises(UsageError, match=message):
        uvlock.fits(made / "services/hello/p")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package = 1", "is broken: .*'package' is 1, where an array belongs; take it from version control, or run"),
        ("[[package]]\nname = 1", r"\[\[package\]\]: 'name' is 1, where a string belongs"),
        ("[[package]]\nversion = '1'", r"\[\[package\]\]: 'name' is missing"),
    ],
)
def test_a_uv_lock_of_wrong_types(made, text, message):
    (made / files.UV_LOCK).write_text(text)
    with pytest.raises(LockError, match=message):
        uvlock.fits(made / "services/hello/p")


def test_no_lock(tmp_path):
    with pytest.raises(LockError, match="run `baker lock`"):
        pins.load(tmp_path / "baker.lock")
    assert pins.written(tmp_path / "baker.lock") == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('suite = "trixie"', 'suite = "trixie; evil"', r"\[debian\]: 'suite' is 'trixie; evil', where a suite"),
        ('suite = "trixie"', "", r"\[debian\]: 'suite' is missing"),
        ("cuda = ", "cudda = ", r"\[nvidia\]: unknown key 'cudda'; did you mean 'cuda'"),
        ('devel = "', 'devel = "A B', r"\[nvidia\]: 'devel' is .*where an image reference belongs"),
        ('snapshot = "', 'snapshot = "x', r"\[debian\]: 'snapshot' is .*where a time of Debian's archive"),
        (
            "rustup-sha256-a",
            "rustup_sha256-a",
            r"\[rust\]: unknown key 'rustup_sha256-amd64'; did you mean 'rustup-sha256",
        ),
        ("[crates.hello]", '[crates."a b"]', r"\[crates\]: the key is 'a b', where the name of a crate belongs"),
    ],
)
def test_a_wrong_baker_lock(made, old, new, message):
    path = made / "baker.lock"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(LockError, match=f"{message}.*take the file from version control, or run `baker lock`"):
        pins.load(path)


@pytest.mark.parametrize("text", ["crates = 1", "[crates]\nx = 1", "uv = 'x'", "[uv]\nversion = 1", "[x"])
def test_a_baker_lock_that_cannot_be_brought_up_to_date(tmp_path, text):
    (tmp_path / "baker.lock").write_text(text)
    with pytest.raises(LockError, match="or remove it and run `baker lock`"):
        pins.written(tmp_path / "baker.lock")


def test_a_line_is_named(tmp_path):
    (tmp_path / "a.toml").write_text("[crate]\nname = 1\n[crate\n")
    with pytest.raises(UsageError, match=r"a\.toml: not valid TOML: .*line 3"):
        toml.read(tmp_path / "a.toml")
