"""The CUDA release that was asked for: which base has it, and what services are with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from baker.config import cards, cuda, project, settings
from baker.config.services import check_pairs
from baker.errors import UsageError

PROJECT = project.find(project.BUILTIN)
PINS = PROJECT.read_pins()


def settle(release, *names, base="auto", accel="cuda"):
    wanted = replace(PROJECT.read_settings(), cuda=release, base=base, accel=accel)
    return cuda.settle(PROJECT.read_services(names), wanted, PINS)


def test_by_default_everything_is_what_it_was():
    assert PROJECT.read_settings().cuda == cards.OWN
    services, wanted = settle(cards.OWN)
    assert (services, wanted.base) == (PROJECT.read_services(()), "auto")
    assert {service.cuda for service in services} == {""}


@pytest.mark.parametrize(("release", "base"), [("12.8", "nvidia"), ("12.4", "debian"), ("13.0", "debian")])
@pytest.mark.parametrize("named", [True, False], ids=["named", "auto"])
def test_a_release_names_its_base(release, base, named):
    services, wanted = settle(release, base=base if named else "auto")
    assert wanted.base == base
    assert {service.cuda for service in services} == {"13.0" if release == "13.0" else ""}


@pytest.mark.parametrize(
    ("release", "base", "message"),
    [
        ("13.0", "nvidia", "CUDA 13.0 is for the base debian only: leave out --base nvidia.*; .* nvidia has CUDA 12.8"),
        ("12.8", "debian", "CUDA 12.8 is for the base nvidia only: .*, or take --base nvidia; .* debian has CUDA 12.4"),
        (
            "12.6",
            "auto",
            r"CUDA 12.6: no base has it.*\[toolkits.\"12.6\"\]; there are 12.8 \(base nvidia\), 12.4 .*13.0",
        ),
    ],
)
def test_a_release_that_is_not_there(release, base, message):
    with pytest.raises(UsageError, match=message) as error:
        settle(release, base=base)
    assert "\n" not in str(error.value)


def test_the_cpu_has_no_toolkit():
    services, wanted = settle("13.0", accel="cpu", base="nvidia")
    assert wanted.base == "nvidia"
    assert {service.cuda for service in services} == {""}


def test_a_service_takes_lock_project_and_libraries_of_the_toolkit():
    plain = PROJECT.read_services(("tts",))[0]
    ((tts,), _) = settle("13.0", "tts")
    toolkit = cuda.taken(tts)
    assert toolkit is not None
    assert cuda.taken(plain) is None
    assert tts.python is not None
    assert tts.crate.lock == toolkit.project / "Cargo.lock"
    assert (plain.crate.rust, tts.crate.rust) == ("", "1.87")
    assert (tts.python.project.name, tts.python.venv) == ("cuda13", True)
    assert all(item.startswith("nvidia/cu13/") for item in tts.python.libraries)
    assert tts.python.layers[0] == ("torch",)
    assert "*/nvidia/cu13/lib/libcufile_rdma.so.1" in tts.allowed.unresolved
    assert plain.crate.lock is None


def test_a_service_without_gpu_code_is_what_it_was(found):
    hello = found("[crate]\nname = 'hello'\n")
    wanted = replace(PROJECT.read_settings(), cuda="13.0")
    ((settled,), after) = cuda.settle((hello,), wanted, PINS)
    assert (settled, after.base) == (hello, "debian")


def test_a_service_with_gpu_code_and_no_toolkit_is_refused(found):
    hello = found("[crate]\nname = 'hello'\nfeatures = { cuda = ['cuda'] }\n")
    wanted = replace(PROJECT.read_settings(), cuda="13.0")
    with pytest.raises(UsageError, match=r"hello/service.toml has no \[toolkits.\"13.0\"\]"):
        cuda.settle((hello,), wanted, PINS)


def test_a_toolkit_is_read_with_its_places(found, tmp_path):
    folder = tmp_path / "services" / "hello" / "wheels"
    folder.mkdir(parents=True)
    text = '[crate]\nname = "x"\n[toolkits."13.0"]\nproject = "wheels"\nhome = "nvidia/cu13"\nleast = "8.0"\n'
    assert found(text + "libraries = ['a/lib*']\n").toolkits["13.0"].project == folder
    for wrong, message in {
        "libraries = ['a/*/b']": "'a/\\*/b', where a path below site-packages belongs",
        "libraries = []\nlock = 'none'": r"\[toolkits.\"13.0\"\] lock: there is no 'none' beside the file",
        "libraries = []\nhom = 'x'": r"\[toolkits.13.0\]: unknown key 'hom'; did you mean 'home'",
    }.items():
        with pytest.raises(UsageError, match=message):
            found(f"{text}{wrong}\n")


def test_services_that_share_a_toolkit_have_to_agree_on_its_layers():
    one, other = (service for service in settle("13.0")[0])
    assert one.python is not None
    check_pairs((one, other))
    changed = replace(one, python=structs.replace(one.python, unused=("x",)))
    with pytest.raises(UsageError, match=r"share the Python project .*cuda13"):
        check_pairs((changed, other))


@pytest.mark.parametrize("word", ["13", "12.8.1", "11.8", "latest"])
def test_what_is_no_release(word):
    with pytest.raises(UsageError, match=f"--cuda: unknown value '{word}'.*"):
        cards.parse_cuda(word, "--cuda")


def test_the_setting_is_checked_too(tmp_path):
    path = tmp_path / "baker.toml"
    path.write_text('[build]\ncuda = "13.1"\n')
    with pytest.raises(UsageError, match=r"baker.toml \[build\] cuda: unknown value '13.1'"):
        settings.load(path)


def test_versions_without_a_lock_are_refused(found, tmp_path):
    (tmp_path / "services" / "hello" / "p").mkdir(parents=True)
    with pytest.raises(UsageError, match="crates are versions in lock"):
        found(
            '[crate]\nname = "x"\n[toolkits."13.0"]\nproject = "p"\nhome = "h"\nleast = "8.0"\nlibraries = []\n'
            'crates = { y = "1" }\n'
        )
