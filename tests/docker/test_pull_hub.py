"""What `baker models pull` makes of a hub's answers, and what it tells the hub."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.docker import hub as standin
from tests.docker.pulling import DEFAULT, STT, VOICES, WEIGHTS, Baker, noise

if TYPE_CHECKING:
    from tests.docker.hub import Hub


def test_a_gated_repository(hub: Hub, baker: Baker) -> None:
    hub.gated.add(STT)
    without = baker.pull("stt")
    assert without.code == 5
    terms = f"accept its terms at {hub.endpoint}/{STT}"
    assert without.err.splitlines()[-1] == (
        f"error: {STT} is gated (401): {terms}, and set HF_TOKEN to a token of that account"
    )
    other = baker.pull("stt", HF_TOKEN="somebody-else")  # noqa: S106
    assert other.code == 5
    last = other.err.splitlines()[-1]
    assert last == f"error: {STT} is gated, and the token's account is not let in (403): {terms}"
    assert "somebody-else" not in other.out + other.err
    good = baker.pull("stt", HUGGING_FACE_HUB_TOKEN=standin.PASS)
    assert good.code == 0
    assert standin.PASS not in good.out + good.err
    assert {one.token for one in hub.requests if one.host == "localhost"} == {""}
    assert not [path for path in baker.home.rglob("*") if path.is_file() and standin.PASS.encode() in path.read_bytes()]


def test_a_stored_login_is_not_used(hub: Hub, baker: Baker) -> None:
    baker.home.mkdir()
    (baker.home / "token").write_text("stored")
    assert baker.pull("stt").code == 0
    assert {one.token for one in hub.requests} == {""}


def test_a_repository_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[STT]
    done = baker.pull("stt")
    text = f"error: there is no model {STT} at {hub.endpoint}, or it needs a token in HF_TOKEN (401)"
    assert (done.code, done.err.splitlines()[-1]) == (5, text)


def test_a_file_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[STT][WEIGHTS]
    done = baker.pull("stt")
    assert done.code == 2
    assert f"{STT} has no file {WEIGHTS}" in done.err.splitlines()[-1]
    assert not hub.gets("tokenizer_en_fr_audio_8000.model")


def test_a_default_voice_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[VOICES][DEFAULT]
    done = baker.pull("tts")
    assert (done.code, f"{VOICES} has no voice unmute-prod-website/default_voice.wav" in done.err) == (2, True)


def test_no_network(baker: Baker) -> None:
    done = baker.pull("stt", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.code == 5
    assert done.err.startswith(f"error: {STT}: the connection to http://127.0.0.1:9 failed (")
    offline = baker.pull("stt", HF_HUB_OFFLINE="1")
    assert (offline.code, offline.err) == (5, f"error: {STT} was not asked for: HF_HUB_OFFLINE is set\n")


TOKENIZER = "tokenizer_en_fr_audio_8000.model"
VICTIM = "../../../../home/.ssh/authorized_keys"


def left(baker: Baker) -> set[str]:
    """What lies around the cache: files that a pull made, but for its lock."""
    found = (path for path in baker.home.parent.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(baker.home.parent)) for path in found} - {"cache/hub/.baker.lock"}


@pytest.mark.parametrize(
    ("listed", "form"),
    [
        ({"lfs": {"oid": VICTIM, "size": 2000}}, "not 64 hexadecimal digits"),
        ({"lfs": None, "oid": VICTIM}, "not 40 hexadecimal digits"),
        ({"path": VICTIM}, "not a relative path"),
        ({"path": "/etc/cron.d/x"}, "not a relative path"),
        ({"path": "a\x1b[2Jb"}, "not a relative path"),
        ({"lfs": {"oid": "0" * 64, "size": -1}}, "not a number of bytes"),
    ],
)
def test_an_answer_that_would_lead_out_of_the_cache(hub: Hub, baker: Baker, listed: dict[str, Any], form: str) -> None:
    hub.listed[TOKENIZER] = listed
    before = left(baker)
    failed = baker.pull("stt")
    last = failed.err.splitlines()[-1]
    assert (failed.code, last.startswith(f"error: {hub.endpoint} gives "), form in last) == (5, True, True), last
    assert failed.err.rstrip("\n").isprintable()
    assert left(baker) == before


def test_a_commit_that_would_lead_out_of_the_cache(hub: Hub, baker: Baker) -> None:
    hub.commits[STT] = "../../../../home2"
    before = left(baker)
    failed = baker.pull("stt")
    what = f"gives '../../../../home2' as a commit of {STT}, which is not 40 hexadecimal digits: nothing was fetched"
    assert (failed.code, failed.err) == (5, f"error: {hub.endpoint} {what}\n")
    assert left(baker) == before


def test_a_login_page_is_no_hub(hub: Hub, baker: Baker) -> None:
    hub.page = "<html>Welcome to the hotel</html>"
    failed = baker.pull("stt")
    assert failed.code == 5
    assert failed.err.startswith(f"error: {hub.endpoint} answers for {STT} with something that is no JSON")
    assert failed.err.count("\n") == 1


@pytest.mark.parametrize("prefix", ["", "/artifactory/api/huggingfaceml/remote"])
def test_a_mirror_is_used_for_every_request(hub: Hub, baker: Baker, prefix: str) -> None:
    """Mirrors pass on the hub's own links, to later pages and to Xet, which are links to huggingface.co."""
    origin = standin.Hub(repos=hub.repos, commits=hub.commits)
    hub.prefix = prefix
    with standin.serve(origin):
        hub.named = origin.endpoint
        done = baker.pull("stt", "tts")
    assert done.code == 0, done.err
    assert origin.requests == []
    assert baker.has(VOICES)[DEFAULT] == hub.repos[VOICES][DEFAULT]
    pages = [one for one in hub.requests if "/tree/" in one.path and VOICES in one.path]
    assert len(pages) > 1


def test_pages_without_an_end(hub: Hub, baker: Baker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standin, "PAGE", 0)
    failed = baker.pull("stt")
    assert (failed.code, failed.err) == (
        5,
        f"error: {hub.endpoint} lists files of {STT} on pages without an end: nothing was fetched\n",
    )


def test_a_password_in_the_address_is_not_printed(hub: Hub, baker: Baker) -> None:
    address = hub.endpoint.replace("//", "//somebody:pa55w0rd@")
    good = baker.pull("stt", HF_ENDPOINT=address)
    assert good.code == 0, good.err
    # It goes to the hub and not to where the hub sends us for content.
    basic = f"Basic {base64.b64encode(b'somebody:pa55w0rd').decode()}"
    assert {one.token for one in hub.requests if one.host != "localhost"} == {basic}
    assert {one.token for one in hub.requests if one.host == "localhost"} == {""}
    hub.listed[TOKENIZER] = {"lfs": {"oid": "x", "size": 1}}
    outs = [good]
    outs.append(baker.pull("stt", HF_ENDPOINT=address))
    hub.listed.clear()
    hub.gated.add(STT)
    outs.append(baker.pull("stt", "--cache", str(baker.home / "new"), HF_ENDPOINT=address))
    hub.page = "<html>"
    outs.append(baker.pull("stt", HF_ENDPOINT=address))
    outs.append(baker.pull("stt", "--check", HF_ENDPOINT=address))
    outs.append(baker.pull("stt", HF_ENDPOINT="http://somebody:pa55w0rd@127.0.0.1:9"))
    outs.append(baker.pull("stt", HF_ENDPOINT="ftp://somebody:pa55w0rd@127.0.0.1"))
    assert [one.code for one in outs] == [0, 5, 5, 5, 0, 5, 2]
    for one in outs:
        assert "pa55w0rd" not in one.out + one.err
        assert "somebody" not in one.out + one.err


def test_a_file_that_is_wrong_says_no_password(hub: Hub, baker: Baker) -> None:
    address = hub.endpoint.replace("//", "//somebody:pa55w0rd@")
    hub.false[TOKENIZER] = b"short"
    short = baker.pull("stt", HF_ENDPOINT=address)
    hub.false[TOKENIZER] = noise("something else")
    other = baker.pull("stt", HF_ENDPOINT=address)
    assert (short.code, other.code) == (5, 5)
    assert "pa55w0rd" not in short.err + other.err


def test_two_tokens_that_differ(hub: Hub, baker: Baker) -> None:
    hub.gated.add(STT)
    done = baker.pull("stt", HF_TOKEN=standin.PASS, HUGGING_FACE_HUB_TOKEN="other")  # noqa: S106
    assert done.code == 0
    note = "note: HF_TOKEN and HUGGING_FACE_HUB_TOKEN are set and differ: HF_TOKEN is used"
    assert done.err.splitlines()[0] == note
    assert standin.PASS not in done.err
    same = baker.pull("stt", HF_TOKEN=standin.PASS, HUGGING_FACE_HUB_TOKEN=standin.PASS)
    assert (same.code, "note:" in same.err) == (0, False)


@pytest.mark.parametrize("part", ["/revision/", "/tree/", f"/resolve/{'1' * 40}/{WEIGHTS}"])
@pytest.mark.parametrize("head", [{"Retry-After": "1"}, {"RateLimit": '"api";r=0;t=1'}])
def test_a_hub_that_asks_to_wait(hub: Hub, baker: Baker, part: str, head: dict[str, str]) -> None:
    hub.busy[part] = [head]
    done = baker.pull("stt")
    assert (done.code, done.err.count(f"note: {hub.endpoint} asks to wait 1 s\n")) == (0, 1), done.err
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]


@pytest.mark.parametrize("part", ["/revision/", "/tree/", "/resolve/"])
@pytest.mark.parametrize("head", [{"Retry-After": "86400"}, {"RateLimit": '"api";r=0;t=86400'}])
def test_a_hub_that_asks_to_wait_for_a_day(hub: Hub, baker: Baker, part: str, head: dict[str, str]) -> None:
    hub.busy[part] = [head] * 9
    failed = baker.pull("stt")
    said = f"error: {hub.endpoint} asks to wait 1440 min 00 s: run it again then, what came so far is kept"
    assert (failed.code, failed.err.splitlines()[-1]) == (5, said)


def test_a_wait_that_is_no_number(hub: Hub, baker: Baker) -> None:
    hub.busy["/tree/"] = [{"Retry-After": "\u00b2"}, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}]
    assert baker.pull("stt").code == 0
