"""Reading settings: what is wrong is said with file, table, key and the legal values."""

from __future__ import annotations

import pytest

from baker.config import settings
from baker.errors import UsageError


@pytest.fixture
def found(tmp_path):
    """Write baker.toml and read it."""

    def read(text: str) -> settings.Settings:
        (tmp_path / "baker.toml").write_text(text)
        return settings.load(tmp_path / "baker.toml")

    return read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[buidl]\nbase = 'auto'", r"unknown table \[buidl\]; did you mean 'build'"),
        ("[build]\nbasse = 'auto'", r"\[build\]: unknown key 'basse'; did you mean 'base'"),
        ("[build]\nbase = 'debain'", "did you mean 'debian'"),
        ("[build]\nbase = 1", r"\[build\]: 'base' is 1, where one of 'auto', 'nvidia', 'debian' belongs"),
        ("[build]\ncompression = 'x'", "one of: gzip, uncompressed, zstd"),
        ("[build]\nreproducible = 'yes'", "'reproducible' is 'yes', where true or false belongs"),
        ("[build]\ncapabilities = ['8.0', 'ampere']", "'ampere' is no compute capability"),
        ("[build]\ncapabilities = '8.0'", "'capabilities' is '8.0', where an array belongs"),
        ("[build]\nplatforms = ['linux/arm']", "nothing can be built for 'linux/arm'; did you mean 'linux/arm64'"),
        ("[images]\npage = 'no'", "'page' is 'no', where true or false belongs"),
        ("build = 1", "'build' is 1, where a table belongs"),
        ("[build]\ncache-from = ['https://x.y/z']", "'cache-from' has 'https://x.y/z', where a repository"),
    ],
)
def test_wrong_settings(found, text, message):
    with pytest.raises(UsageError, match=message):
        found(text)


def test_settings_over_defaults(found):
    found = found("[build]\naccel = 'cpu'\nbuilder = 'here, there'\n[images]\nregistry = 'ghcr.io/team/'")
    assert (found.accel, found.base, found.capabilities) == ("cpu", "auto", (80,))
    assert found.page
    assert (found.builders, found.registry) == (("here", "there"), "ghcr.io/team/")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("registry", ("https://registry.example.com", "Reg istry", "x.y//z", "x.y/Z", "x" * 129, "x.y/z:tag", "-x.y")),
        ("namespace", ("Baker", "a b", "/a", "a/", "a" * 64, "a:b")),
        ("tag", ("LA TEST!", "", ".x", "a" * 129, "a:b", "a/b")),
    ],
)
def test_names_that_no_registry_takes(found, key, words):
    for word in words:
        with pytest.raises(UsageError, match=rf"\[images\]: '{key}' is .* where a .* belongs"):
            found(f"[images]\n{key} = '{word}'")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "registry",
            ("", "ghcr.io", "ghcr.io/team", "127.0.0.1:5000", "localhost", "[::1]:5000/x", "registry:5000/a/b", "team"),
        ),
        ("namespace", ("", "baker", "team/speech", "a__b", "a-b.c")),
        ("tag", ("latest", "0.6.4-cuda12.8-sm80", "_x", "A" * 128)),
    ],
)
def test_names_that_registries_take(found, key, words):
    for word in words:
        assert getattr(found(f"[images]\n{key} = '{word}'"), key) == word


@pytest.mark.parametrize(
    "url", ["ftp://x.y/z", "x.y/z", "http://", "http://a b/", "http://x.y/$(evil)", "http://x.y/'"]
)
def test_a_mirror_is_a_url(found, url):
    with pytest.raises(UsageError, match=r"\[mirrors\]: 'pypi' is .* where an http or https URL belongs"):
        found(f'[mirrors]\npypi = "{url}"')


@pytest.mark.parametrize("url", ["", "http://x.y/{snapshot}/", "https://x.y:8080/a~b/%20?c=d", "http://[::1]:80/a"])
def test_urls_of_mirrors(found, url):
    assert found(f'[mirrors]\ndebian = "{url}"').mirrors.debian == url


@pytest.mark.parametrize(
    "text",
    [
        "[mirrors]\npypi = 'https://me:hunter2@x.y/simple'",
        "[mirrors]\npypi = 'https://hunter2@x.y/simple'",
        "[mirrors]\nregistry = 'https://me:hunter2@x.y/simple'",
        "[mirrors]\nregistry = 'me:hunter2@x.y/simple'",
        "[build]\ncache-from = ['https://me:hunter2@x.y']",
        "[build]\nbase = 'http://me:hunter2@x.y'",
        "[publish]\nissuer = 'https://me:hunter2@x.y'",
    ],
)
def test_a_login_in_a_url_is_refused_and_not_printed(found, text):
    with pytest.raises(UsageError) as error:
        found(text)
    assert "hunter2" not in str(error.value)
    if "//" in text:
        assert "[secrets] netrc" in str(error.value)


def test_an_identity_has_an_at_sign(found):
    identity = "^https://github.com/me/speech/.github/workflows/publish.yml@refs/heads/main$"
    assert found(f"[publish]\nidentity = '{identity}'").publishing.identity == identity


def test_words_of_the_command_line():
    assert settings.parse_tag("latest", "--tag") == "latest"
    with pytest.raises(UsageError, match=r"--tag: 'bad tag!', where a tag"):
        settings.parse_tag("bad tag!", "--tag")
    with pytest.raises(UsageError, match=r"--cache-to: 'Https://x', where a repository"):
        settings.parse_repository("Https://x", "--cache-to")
