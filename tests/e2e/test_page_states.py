"""The page says in words what is going on and what is wrong, whatever that is."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from baker.speech.wire import FRAMES_A_SECOND, KEY
from tests.e2e.browser import ELSEWHERE, choose, chromium, opened, until, write_wav
from tests.e2e.conftest import HARDENED, STT, TTS, published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Playwright, WebSocketRoute
    from websockets.sync.client import ClientConnection

PATHS = {"stt": "api/asr-streaming", "tts": "api/tts_streaming"}
READY = bytes(msgpack.packb({"type": "Ready"}))
SERVICES = pytest.mark.parametrize("service", ["stt", "tts"])
# How a browser says why there is no microphone.
# https://developer.mozilla.org/en-US/docs/Web/API/MediaDevices/getUserMedia#exceptions
REFUSE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); };"
# Keeps all states.
STATES = """
  window.states = [];
  new MutationObserver(() => window.states.push(document.getElementById("state").dataset.state))
    .observe(document, { subtree: true, attributeFilter: ["data-state"] });
"""
# As a server that takes no connection, until `there` is set.
NOT_YET = """
  const ask = window.fetch;
  window.fetch = (...what) => window.there ? ask(...what) : Promise.reject(new TypeError("refused"));
"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    silence = write_wav(tmp_path_factory.mktemp("microphone") / "silence.wav", "s9")
    with chromium(playwright, microphone=silence) as started:
        yield started


def press(page: Page) -> None:
    page.locator("button.main:visible").click()


def shows(page: Page, state: str, line: str, help_: str = "") -> None:
    """Wait for a state; what it says has to be seen, and told to screen readers."""
    expect(page.locator("#state")).to_have_attribute("data-state", state)
    expect(page.get_by_role("status")).to_contain_text(line)
    expect(page.get_by_role("status")).to_contain_text(help_)


def serving(start: Any, folder: Path) -> Any:
    """Start a server of its own with a synthetic model."""
    (config,) = folder.glob("*.toml")
    image = {"stt.toml": STT, "tts.toml": TTS}[config.name]
    options = {**HARDENED, "ports": {"8080": ("127.0.0.1", None)}}
    volumes = {str(folder): {"bind": "/models", "mode": "ro"}}
    return start(image, ["worker", "--config", f"/models/{config.name}", "--cpu"], volumes=volumes, **options)


@contextmanager
def full(address: str, service: str) -> Iterator[None]:
    """Take both places of a server."""
    with ExitStack() as stack:
        for _ in range(2):
            while msgpack.unpackb(place(stack, address, service).recv())["type"] != "Ready":
                # The health probe has one for some milliseconds.
                time.sleep(0.1)
        yield


def place(stack: ExitStack, address: str, service: str) -> ClientConnection:
    url = f"ws://{address}/{PATHS[service]}?auth_id={KEY}&format=PcmMessagePack"
    return stack.enter_context(connect(url))


@SERVICES
def test_a_wrong_key(request: pytest.FixtureRequest, browser: Browser, service: str) -> None:
    with opened(browser, f"http://{request.getfixturevalue(service)}/") as page:
        page.get_by_text("Key", exact=True).click()
        key = page.locator("#key")
        expect(key).to_have_value(KEY)
        key.fill("wrong")
        page.get_by_text("Key", exact=True).click()
        press(page)
        shows(page, "key", "The server does not take this key.", "authorized_ids")
        expect(key).to_be_visible()
        page.reload()
        page.get_by_text("Key", exact=True).click()
        expect(key).to_have_value("wrong")
        page.get_by_label("Show it").check()
        expect(key).to_have_attribute("type", "text")
        key.fill(KEY)
        if service == "tts":
            page.get_by_role("textbox", name="Text", exact=True).fill("hello")
        press(page)
        expect(page.locator("#state")).to_have_attribute(
            "data-state", re.compile("listening" if service == "stt" else "speaking|spoken")
        )


@SERVICES
def test_no_place_is_free(request: pytest.FixtureRequest, browser: Browser, service: str) -> None:
    address = request.getfixturevalue(service)
    with opened(browser, f"http://{address}/") as page:
        with full(address, service):
            press(page)
            shows(page, "full", "No place is free.", "Try again in a moment.")
            expect(page.locator("#places")).to_have_text("0 of 2 places free")
        expect(page.locator("button.main:visible")).to_have_text("Speak")


def test_the_server_is_gone(start: Any, models: Path, browser: Browser) -> None:
    """In the midst of a conversation, and before one."""
    with (
        serving(start, models / "stt") as container,
        opened(browser, f"http://{published(container)}/", before=STATES) as page,
    ):
        press(page)
        shows(page, "listening", "Listening.")
        container.kill()
        shows(page, "gone", "The server is gone.", "Try again when it is back.")
        press(page)
        until(page, "window.states.slice(-2).join() === 'connecting,gone'")


def test_a_server_that_is_not_there_yet(stt: str, browser: Browser) -> None:
    """The page asks until it gets an answer; nobody has to load it again."""
    with opened(browser, f"http://{stt}/", before=STATES + NOT_YET) as page:
        shows(page, "away", "The server does not answer.", "asks again by itself")
        page.evaluate("window.there = true")
        expect(page.locator("button.main:visible")).to_have_text("Speak")
        shows(page, "listenIdle", "Press the button and speak.")


def test_a_model_that_does_not_answer(start: Any, models: Path, browser: Browser) -> None:
    """Its loop died in the warm-up, and the server takes connections all the same."""
    with serving(start, models / "dead") as container, opened(browser, f"http://{published(container)}/") as page:
        page.clock.install()
        press(page)
        shows(page, "connecting", "Connecting")
        page.clock.fast_forward(20_000)
        shows(page, "silent", "The model does not answer.", "It may still be loading")


def test_no_microphone_on_an_insecure_address(stt: str, browser: Browser, tmp_path: Path) -> None:
    with opened(browser, f"http://{ELSEWHERE}:{stt.rpartition(':')[2]}/") as page:
        assert not page.evaluate("window.isSecureContext")
        press(page)
        shows(page, "insecure", "No microphone: this address is not secure.", "A sound file works here too.")
        choose(page, write_wav(tmp_path / "sound.wav", "s5,q9,s5"))
        shows(page, "heard", "Done.")
        expect(page.locator("ruby")).to_have_count(3)


def test_speech_on_an_insecure_address(tts: str, browser: Browser) -> None:
    with opened(browser, f"http://{ELSEWHERE}:{tts.rpartition(':')[2]}/") as page:
        page.get_by_role("textbox", name="Text", exact=True).fill("hello")
        press(page)
        shows(page, "spoken", "Done.")


def test_a_microphone_that_is_not_allowed(playwright: Playwright, stt: str, tmp_path: Path) -> None:
    silence = write_wav(tmp_path / "silence.wav", "s9")
    with chromium(playwright, microphone=silence, allowed=False) as browser, opened(browser, f"http://{stt}/") as page:
        press(page)
        shows(page, "denied", "No microphone: the browser does not allow it.", "Allow it")


def test_no_microphone_at_all(playwright: Playwright, stt: str) -> None:
    with (
        chromium(playwright, microphone=None) as browser,
        opened(browser, f"http://{stt}/", permissions=["microphone"]) as page,
    ):
        press(page)
        shows(page, "missing", "No microphone was found.", "take a sound file")


def test_a_microphone_that_is_in_use(stt: str, browser: Browser) -> None:
    with opened(browser, f"http://{stt}/", before=REFUSE % "NotReadableError") as page:
        press(page)
        shows(page, "busy", "The microphone cannot be used.", "Another program may hold it.")


def test_a_microphone_that_is_pulled_out(stt: str, browser: Browser) -> None:
    keep = """
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (...all) => (window.stream = await open(...all));
    """
    with opened(browser, f"http://{stt}/", before=keep) as page:
        press(page)
        shows(page, "listening", "Listening.")
        page.evaluate("window.stream.getTracks()[0].dispatchEvent(new Event('ended'))")
        shows(page, "unplugged", "The microphone is gone.", "What was said before is below.")


def test_a_file_that_is_no_sound(stt: str, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with opened(browser, f"http://{stt}/") as page:
        choose(page, tmp_path / "notes.txt")
        shows(page, "sound", "That is no sound file.", "WAV")
        choose(page, write_wav(tmp_path / "silence.wav", "s9"))
        shows(page, "silence", "No words were heard.")


def test_a_text_that_is_empty(tts: str, browser: Browser) -> None:
    with opened(browser, f"http://{tts}/") as page:
        page.get_by_role("textbox", name="Text", exact=True).fill(" ")
        press(page)
        shows(page, "empty", "There is nothing to say yet")


def test_a_server_that_sends_no_sound(tts: str, browser: Browser) -> None:
    with opened(browser, f"http://{tts}/") as page:
        page.route_web_socket("**/tts_streaming*", mute)
        press(page)
        shows(page, "mute", "The server sent no sound.")


def mute(socket: WebSocketRoute) -> None:
    """Take everything and say nothing."""
    socket.send(READY)
    socket.close()


def test_a_page_of_which_a_part_does_not_arrive(stt: str, browser: Browser) -> None:
    with opened(browser, f"http://{stt}/") as page:
        page.route("**/listen.js", lambda route: route.abort())
        page.reload()
        expect(page.locator("#line")).to_have_text("This page needs JavaScript.")
        expect(page.locator("#help")).to_contain_text("did not arrive: reload it")
        page.unroute_all()
        page.reload()
        shows(page, "listenIdle", "Press the button and speak.")


def test_a_config_without_speech(stt: str, browser: Browser) -> None:
    with opened(browser, f"http://{stt}/") as page:
        page.route("**/api/modules_info", lambda route: route.fulfill(json=[]))
        page.reload()
        shows(page, "none", "Nothing to speak to here.", "This server's config")
        page.unroute_all()
        shows(page, "listenIdle", "Press the button and speak.")


def test_a_config_with_both(stt: str, browser: Browser) -> None:
    both = [{"type": "batched_asr", "path": "/a"}, {"type": "py", "path": "/b"}, {"type": "py", "path": "/c"}]
    told = [{**module, "used_slots": "0", "total_slots": "1"} for module in both]
    with opened(browser, f"http://{stt}/") as page:
        page.route("**/api/modules_info", lambda route: route.fulfill(json=told))
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Speech to text, Text to speech")
        expect(page.locator("button.main:visible")).to_have_count(2)
        page.locator("button.main").last.click()
        shows(page, "elsewhere", "The server has moved.", "Load this page again.")


def test_another_error_of_the_server(stt: str, browser: Browser) -> None:
    error = bytes(msgpack.packb({"type": "Error", "message": "out of memory"}))
    with opened(browser, f"http://{stt}/") as page:
        page.route_web_socket("**/asr-streaming*", lambda socket: socket.send(error))
        press(page)
        shows(page, "broken", "The server reports an error.", "Its log")


def test_a_model_that_is_slower_than_speech(stt: str, browser: Browser) -> None:
    step = bytes(msgpack.packb({"type": "Step", "step_idx": 1, "prs": [], "buffered_pcm": 0}))
    with opened(browser, f"http://{stt}/") as page:
        page.route_web_socket("**/asr-streaming*", lambda socket: slow(socket, step))
        press(page)
        expect(page.get_by_text("The model is 2 s behind.")).to_be_visible()


# Frames in 2 s.
LATE = int(2 * FRAMES_A_SECOND)


def slow(socket: WebSocketRoute, step: bytes) -> None:
    """Answer each frame 2 s late, so that the page says so for as long as it speaks."""
    sent: list[str | bytes] = []

    def take(message: str | bytes) -> None:
        sent.append(message)
        if len(sent) > LATE:
            socket.send(step)

    socket.on_message(take)
    socket.send(READY)
