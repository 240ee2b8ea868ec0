"""Finding a project: by a folder that was named, around the working directory, or the package's own."""

from __future__ import annotations

import os

import pytest

from baker.config import owner, project
from baker.errors import UsageError

SERVICE = '[crate]\nname = "hello"\nembeds-python = true\n[python]\nproject = "p"\n'


def test_outside_of_a_project_the_package_serves(tmp_path):
    found = project.find(tmp_path)
    assert (found.builtin, found.names(), found.state) == (True, ("stt", "tts"), tmp_path / ".baker")


def test_a_wrong_name_gets_a_suggestion(tmp_path):
    with pytest.raises(UsageError, match=r"there is no service 'sst'.*did you mean 'stt'"):
        project.find(tmp_path).read_services(["sst"])


def test_a_folder_inside_a_project_is_in_it(tmp_path):
    (tmp_path / "baker.toml").write_text("")
    (tmp_path / "services").mkdir()
    assert project.find(tmp_path / "services", strict=True).root == tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [("typo", "there is no such folder"), ("file", "there is no such folder"), ("plain", "is no project")],
)
def test_a_named_folder_must_be_a_project(tmp_path, name, message):
    (tmp_path / "file").write_text("")
    (tmp_path / "plain").mkdir()
    with pytest.raises(UsageError, match=message):
        project.find(tmp_path / name, strict=True)


def test_a_loop_of_links_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="a loop of links"):
        project.find(tmp_path / "loop", strict=True)


def trust(*users, folders=""):
    return owner.trust({owner.VARIABLE: folders}, users[0] if users else os.geteuid() + 1)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A project whose files belong to user 4321, with a state folder that belongs to nobody in particular."""
    (tmp_path / "baker.toml").write_text("")
    real = type(tmp_path).lstat
    monkeypatch.setattr(
        type(tmp_path), "lstat", lambda path: os.stat_result([*real(path)[:4], 4321, *real(path)[5:]]), raising=True
    )
    return tmp_path


def test_another_users_project_is_refused(foreign):
    with pytest.raises(UsageError, match=rf"belongs to another user \(4321\).*BAKER_SAFE_DIRECTORY={foreign}"):
        project.find(foreign, trust=trust(1000))


@pytest.mark.parametrize("named", ["/elsewhere:{}", "{}", "*"])
def test_a_folder_that_is_named_safe_is_read(foreign, named):
    assert project.find(foreign, trust=trust(1000, folders=named.format(foreign))).root == foreign


def test_the_owner_reads_his_own(foreign):
    assert project.find(foreign, trust=trust(4321)).root == foreign


def test_a_prepared_state_folder_beside_no_project_is_refused(foreign):
    (foreign / "baker.toml").unlink()
    (foreign / ".baker").mkdir()
    with pytest.raises(UsageError, match=r"\.baker belongs to another user"):
        project.find(foreign, trust=trust(1000))


@pytest.mark.parametrize(
    ("environment", "user", "users"),
    [
        ({}, 1000, {0, 1000}),
        ({"SUDO_UID": "1000"}, 0, {0, 1000}),
        ({"SUDO_UID": "1001"}, 1000, {0, 1000}),
        ({"SUDO_UID": "²"}, 0, {0}),
    ],
)
def test_whom_a_user_trusts(environment, user, users):
    assert owner.trust(environment, user).users == users


@pytest.fixture
def two(tmp_path):
    """Two services whose [python] tables a test adds to."""

    def read(one: str, other: str, *, apart: bool = False) -> tuple[str, ...]:
        (tmp_path / "baker.toml").write_text("")
        for name, more in (("one", one), ("two", other)):
            folder = tmp_path / "services" / name
            (folder / "p").mkdir(parents=True)
            (folder / "service.toml").write_text(SERVICE + more)
        if not apart:
            file = tmp_path / "services/two/service.toml"
            file.write_text(file.read_text().replace('"p"', '"../one/p"'))
        return tuple(service.name for service in project.find(tmp_path).read_services(()))

    return read


def test_services_share_a_python_project(two):
    assert two("venv = true\ngroups = ['a']", "venv = false") == ("one", "two")


@pytest.mark.parametrize(
    ("one", "other", "apart", "message"),
    [
        ("", "", True, "one and two have the same folder name"),
        ("venv = true\ngroups = ['a']", "venv = true\ngroups = ['b']", False, r"same \[python\] groups"),
        ("venv = true\nlayers = [['a']]", "venv = true", False, r"same \[python\] layers"),
        ("unused = ['*.a']", "", False, r"same \[python\] unused"),
        ("libraries = ['a']", "libraries = ['b']", False, r"same \[python\] libraries"),
    ],
)
def test_services_that_get_into_each_others_way(two, one, other, apart, message):
    with pytest.raises(UsageError, match=message):
        two(one, other, apart=apart)
