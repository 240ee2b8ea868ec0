"""A headless Chromium, the system's own, with a microphone that plays a WAV file."""

from __future__ import annotations

import array
import math
import re
import shutil
import sys
import time
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from baker.speech.wire import FRAME, RATE
from baker.synthetic.answers import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

# Names of scripts/setup.sh.
PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable")
# A name of a machine that is not this one, for the browser: a page from there is not secure.
ELSEWHERE = "elsewhere.test"
# Four workers share two cores, and others may compile beside them.
PATIENCE = 120
expect.set_options(timeout=1000 * PATIENCE)


@contextmanager
def chromium(playwright: Playwright, *, microphone: Path | None, allowed: bool = True) -> Iterator[Browser]:
    """Start a browser; without a file it has no microphone."""
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.fail("there is no Chromium: run `scripts/setup.sh browser`")
    arguments = [f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"]
    if microphone:
        arguments += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    if allowed:
        arguments.append("--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=program, args=arguments)
    try:
        yield browser
    finally:
        browser.close()


def until(page: Page, expression: str, seconds: float = PATIENCE) -> None:
    """Return when an expression is true. Page.wait_for_function evaluates it in the page, whose policy forbids that."""
    give_up = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < give_up, expression
        page.wait_for_timeout(50)


@contextmanager
def opened(browser: Browser, url: str, *, before: str = "", **options: Any) -> Iterator[Page]:
    """Open a page in a tab of its own; it may report no error and ask no other server.

    `before` is a script that runs before those of the page; `options` are the tab's.
    """
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
    if before:
        context.add_init_script(before)
    context.set_default_timeout(1000 * PATIENCE)
    page, said, asked = context.new_page(), list[str](), list[str]()

    def console(message: ConsoleMessage) -> None:
        # Browsers report by themselves what a server refuses, which tests make happen.
        if message.type == "error" and not re.match("WebSocket connection|Failed to load resource", message.text):
            said.append(message.text)

    def request(request: Request) -> None:
        if not request.url.startswith((url, url.replace("http", "ws"), "blob:")):
            asked.append(request.url)

    page.on("console", console)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", request)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    assert (said, asked) == ([], [])


def choose(page: Page, path: Path) -> None:
    """Choose a sound file on the page of speech-to-text, once it takes one: the field is there from the start."""
    expect(page.locator("#listen")).to_be_visible()
    page.locator("input[type=file]").set_input_files(path)


def write_wav(path: Path, audio: str, *, rate: int = RATE, channels: int = 1) -> Path:
    """Write "s5,q9,l3" (see `clients.listen`) as a WAV file."""
    samples = array.array("h")
    for part in audio.split(","):
        for _ in range(int(part[1:]) * FRAME * rate // RATE):
            value = LOUDNESS[part[0]] * math.sin(2 * math.pi * 440 * (len(samples) // channels) / rate)
            samples.extend([round(32767 * value)] * channels)
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def read_wav(path: Path) -> list[float]:
    """Return the samples of a WAV file as text-to-speech gives it."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        samples = array.array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return [sample / 32767 for sample in samples]
