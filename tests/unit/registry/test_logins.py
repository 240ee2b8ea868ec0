"""Logins as docker stores them: in the file, behind a helper of one registry, behind the helper of all."""

from __future__ import annotations

import base64
import json

import pytest

from baker.errors import CommandError, EngineError, UsageError
from baker.registry.logins import Login, Logins
from baker.system import process

HUB = "https://index.docker.io/v1/"
ME = Login(name="me", password="pass:word")  # noqa: S106
IDENTITY = Login(identity_token="t")  # noqa: S106


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def write(tmp_path):
    def write(config):
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "config.json").write_text(text)
        return Logins.of({"DOCKER_CONFIG": str(tmp_path)})

    return write


@pytest.fixture
def helpers(monkeypatch):
    """What each credential helper prints for each key; what it has nothing for fails as the real ones do."""
    said: dict[str, dict[str, str]] = {}

    def capture(argv, *, env, given):
        program, verb = argv
        assert verb == "get"
        assert env is not None
        if program not in said:
            raise CommandError(tuple(argv), 127, "No such file or directory")
        if given not in said[program]:
            raise CommandError(tuple(argv), 1, "credentials not found in native keychain")
        return said[program][given]

    monkeypatch.setattr(process, "capture", capture)
    return said


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        ({"auth": encoded("me:pass:word")}, ME),
        ({"username": "me", "password": "pass:word"}, ME),
        (
            {"auth": encoded("00000000-0000-0000-0000-000000000000:"), "identitytoken": "t"},
            Login(name="00000000-0000-0000-0000-000000000000", identity_token="t"),  # noqa: S106
        ),
        ({"identitytoken": "t"}, IDENTITY),
        ({}, None),
        ("nonsense", None),
    ],
)
def test_the_file(write, entry, login):
    assert write({"auths": {"ghcr.io": entry}}).find("ghcr.io") == login


@pytest.mark.parametrize("key", ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/"])
def test_keys_that_are_addresses(write, key):
    found = write({"auths": {key: {"auth": encoded("me:pass:word")}}})
    assert found.find("ghcr.io") == ME
    assert found.find("xghcr.io") is None
    assert found.find("ghcr.io.example.com") is None


def test_docker_hub_has_a_key_of_its_own(write, helpers):
    assert write({"auths": {HUB: {"auth": encoded("me:pass:word")}}}).find("docker.io") == ME
    helpers["docker-credential-all"] = {HUB: json.dumps({"Username": "me", "Secret": "pass:word"})}
    assert write({"credsStore": "all"}).find("docker.io") == ME


def test_a_helper_of_one_registry_goes_before_that_of_all_and_the_file_comes_last(write, helpers):
    config = {
        "credsStore": "all",
        "credHelpers": {"ghcr.io": "one"},
        "auths": {name: {"auth": encoded("file:x")} for name in ("ghcr.io", "quay.io", "example.com")},
    }
    helpers["docker-credential-one"] = {"ghcr.io": json.dumps({"Username": "me", "Secret": "pass:word"})}
    helpers["docker-credential-all"] = {"quay.io": json.dumps({"Username": "<token>", "Secret": "t"})}
    found = write(config)
    assert found.find("ghcr.io") == ME
    assert found.find("quay.io") == IDENTITY
    assert found.find("example.com") == Login(name="file", password="x")  # noqa: S106


def test_a_helper_without_a_login(write, helpers):
    helpers["docker-credential-all"] = {"quay.io": json.dumps({"Username": "", "Secret": ""})}
    found = write({"credsStore": "all"})
    assert found.find("quay.io") is None
    assert found.find("ghcr.io") is None


def test_a_helper_that_is_missing_is_one_clear_line(write, helpers):
    helpers.clear()
    with pytest.raises(EngineError) as caught:
        write({"credsStore": "desktop.exe"}).find("ghcr.io")
    said = str(caught.value)
    assert "docker-credential-desktop.exe" in said
    assert "docker login" in said
    assert "\n" not in said


@pytest.mark.parametrize("printed", ["", "null", "[]", "welcome"])
def test_a_helper_that_prints_nonsense(write, helpers, printed):
    helpers["docker-credential-all"] = {"ghcr.io": printed}
    with pytest.raises(EngineError, match=r"no login for ghcr\.io"):
        write({"credsStore": "all"}).find("ghcr.io")


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"ghcr.io": {"auth": "%%%"}}}'])
def test_a_file_that_cannot_be_read(write, text):
    with pytest.raises(UsageError, match=r"config\.json"):
        write(text).find("ghcr.io")


@pytest.mark.parametrize("config", [{}, {"auths": None}, {"auths": []}, {"credHelpers": "x"}])
def test_a_file_without_logins(write, config):
    assert write(config).find("ghcr.io") is None


def test_where_the_file_is(tmp_path):
    assert Logins.of({"HOME": "/home/me"}).file.as_posix() == "/home/me/.docker/config.json"
    assert Logins.of({"HOME": "/home/me", "DOCKER_CONFIG": "/else"}).file.as_posix() == "/else/config.json"
    assert Logins.of({"DOCKER_CONFIG": str(tmp_path)}).find("ghcr.io") is None


@pytest.mark.parametrize(
    ("login", "entry"),
    [
        (ME, {"auth": encoded("me:pass:word")}),
        (IDENTITY, {"auth": encoded("<token>:"), "identitytoken": "t"}),
    ],
)
@pytest.mark.parametrize(("registry", "key"), [("ghcr.io", "ghcr.io"), ("docker.io", "https://index.docker.io/v1/")])
def test_skopeo_and_cosign_get_the_same_login_in_a_file_that_goes(write, login, entry, monkeypatch, registry, key):
    found = write({"auths": {}})
    monkeypatch.setattr(Logins, "find", lambda _self, _registry: login)
    with found.written(registry) as path:
        assert path.name == "config.json"
        assert json.loads(path.read_text()) == {"auths": {key: entry}}
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.exists()


def test_secrets_are_in_no_text_of_a_login():
    assert "pass" not in repr(ME)
    assert "secret" not in repr(Login(identity_token="secret"))  # noqa: S106
