"""A record becomes a time line, a page that needs nothing besides, a picture and a text."""

from __future__ import annotations

import html.parser
import sys
from xml.etree import ElementTree as ET

import pytest

from baker import cli
from baker.bench.startup import result
from baker.bench.startup.result import BAKED, RESTART, VOLUMES, Measurement
from baker.build import record
from baker.errors import UsageError
from baker.report import contents, drawing, page, text, timeline
from tests.unit.benchmarks import EMPTY
from tests.unit.report.records import BEFORE, BINARY, BUILD, CACHED, FAILED

SVG = "{http://www.w3.org/2000/svg}"
BENCH = EMPTY.plus(
    Measurement(way=BAKED, scenario=RESTART, run=1, seconds=1.0),
    Measurement(way=VOLUMES, scenario=RESTART, run=1, seconds=3.0),
)


@pytest.fixture
def found():
    return contents.contents((BUILD, BEFORE), (BENCH,))


class Page(html.parser.HTMLParser):
    """Reads a page: its words, the attributes that lead anywhere, and whether every element is closed."""

    VOID = ("meta", "link", "img", "br", "hr", "input")

    def __init__(self, text):
        super().__init__()
        self.words, self.leads, self.open, self.tags = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.leads += [value for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def said(self):
        return " ".join(" ".join(self.words).split())


def test_the_critical_path_is_what_the_build_waited_for(found):
    assert [lane.name for lane in found.timeline.critical] == [
        "root image",
        "toolchain",
        "crate",
        BINARY,
        "tts",
        "export tts",
        "verify stt",
        "verify tts",
    ]


def test_a_lane_has_its_real_spans(found):
    lanes = {lane.name: lane for lane in found.timeline.lanes}
    assert lanes["tts"].spans == ((31.0, 33.0), (220.0, 240.0), (700.0, 704.0))
    assert lanes["tts"].seconds == 26.0
    # Two steps that follow each other at once are one bar.
    assert lanes["crate"].spans == ((70.0, 81.0),)
    assert found.timeline.cached == ("root",)
    assert [lane.start for lane in found.timeline.lanes] == sorted(lane.start for lane in found.timeline.lanes)


@pytest.mark.parametrize(
    ("seconds", "ticks"), [(7.5, 8), (900.0, 8), (0.4, 1), (7200.0, 9)], ids=["seconds", "minutes", "moment", "hours"]
)
def test_an_axis_has_few_marks(seconds, ticks):
    found = timeline.Timeline(lanes=(), cached=(), seconds=seconds).ticks()
    assert (found[0], len(found)) == (0.0, ticks)
    assert found[-1] <= seconds


def test_layers_are_counted_once_and_say_who_shares_them(found):
    assert [(layer.size, layer.images, layer.shared, layer.new) for layer in found.layers] == [
        (6_000_000_000, ("tts",), False, True),
        (1_120_000_000, ("stt", "tts"), True, False),
        (120_000_000, ("stt", "tts"), True, False),
    ]
    assert found.unpacked == 7_240_000_000


def test_the_history_has_what_changed(found):
    (_, now), (_, before) = found.history
    assert [(size.service, size.size - size.before) for size in now] == [("stt", 1_120_000_000), ("tts", 6_000_000_000)]
    assert [size.before for size in before] == [0, 0]


def test_the_page_needs_nothing_besides_and_says_everything(found):
    read = Page(page.draw(found))
    assert read.open == []
    assert read.leads == []
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    for words in (
        "Build of stt, tts",
        "26 November 2026, 12:18 UTC",
        "15 min 00 s",
        "4.4 GB",
        "root image 30.0 s",
        "7.2 GB in 3 layers, each counted once; 1.2 GB of it is in several images",
        '<script>alert(1)</script>" && uv sync',
        "stt 1.2 GB (+1.1 GB)",
        "server skipped needs a card",
        "casing do not match",
        "restart 3.00 s 3\N{MULTIPLICATION SIGN} 1.00 s",
    ):
        assert words in read.said, words


def test_what_is_printed_of_others_is_no_markup(found):
    assert "<script>" not in page.draw(found)


def test_bars_have_the_place_of_their_time(found):
    text = page.draw(found)
    assert f'<i style="left:{round(81 / 9, 2)}%;width:{round(619 / 9, 2)}%"' in text


@pytest.mark.parametrize("draw", [page.draw, text.draw, drawing.draw])
@pytest.mark.parametrize("build", [BUILD, FAILED, CACHED], ids=["whole", "failed", "cached"])
def test_every_build_can_be_reported(draw, build):
    said = draw(contents.contents((build,)))
    assert "stt" in said
    assert said.endswith("\n")


def test_a_failed_build_says_why():
    found = contents.contents((FAILED, BUILD))
    for said in (page.draw(found), text.draw(found)):
        assert "failed: exit code: 101" in said
        assert "not finished" in said
    assert [lane.name for lane in found.timeline.critical] == ["toolchain", BINARY]
    # The sizes are those of builds that left images.
    assert [build for build, _ in found.history] == [BUILD]


def test_the_picture(found):
    picture = ET.fromstring(drawing.draw(found))  # noqa: S314 - our own
    width, height = (float(picture.get(name, 0)) for name in ("width", "height"))
    bars = [item for item in picture.iter(f"{SVG}rect") if item.get("class") in ("bar", "critical")]
    # Two of the key; the three spans of tts; one of each other lane.
    assert len(bars) == 2 + 3 + len(found.timeline.lanes) - 1
    assert all(0 < float(bar.get("x", 0)) + float(bar.get("width", 0)) <= width for bar in bars)
    assert all(float(bar.get("y", 0)) < height for bar in bars)
    words = [item.text for item in picture.iter(f"{SVG}text")]
    assert {"verify tts", "0", "10 min", "critical path", "From the cache: root"} <= set(words)


def test_the_text(found):
    lines = text.draw(found).splitlines()
    assert lines[0] == "Build of stt, tts, 2026-11-26 12:18 UTC: finished after 15 min 00 s"
    (compile_,) = (line for line in lines if BINARY in line)
    assert compile_.startswith("* ")
    assert compile_.count("█") == round(700 / 900 * text.WIDTH) - int(81 / 900 * text.WIDTH)
    assert "    1.1 GB  stt, tts          COPY --link --from=libraries /layers/1 /" in lines
    assert "2026-11-26 12:18  stt 1.2 GB (+1.1 GB), tts 7.2 GB (+6.0 GB)" in lines
    assert "skipped  server: needs a card" in lines


@pytest.fixture
def report(monkeypatch, capsys, tmp_path):
    """Run `baker report` in a project with two builds."""
    (tmp_path / "services/hello").mkdir(parents=True)
    (tmp_path / "services/hello/service.toml").write_text('[crate]\nname = "hello"\n')
    (tmp_path / "baker.toml").write_text("")
    for build in (BEFORE, BUILD):
        record.write(build, tmp_path / ".baker")
    result.write(BENCH, tmp_path / ".baker/bench/quick-cpu/result.json")
    (tmp_path / ".baker/bench/old").mkdir()
    (tmp_path / ".baker/bench/old/result.json").write_text('{"form": "of another release"}')

    def run(*argv):
        monkeypatch.setattr(sys, "argv", ["baker", "report", "-C", str(tmp_path), *argv])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr()

    return run


def test_the_command_writes_the_page(report, tmp_path):
    code, said = report()
    assert (code, said.out) == (0, f"wrote {tmp_path / '.baker/report.html'}\n")
    assert "choose 1.0.1" in Page((tmp_path / ".baker/report.html").read_text()).said


@pytest.mark.parametrize(("name", "begins"), [("a.svg", "<svg"), ("a.txt", "Build of"), ("a.html", "<!doctype html>")])
def test_the_ending_says_the_format(report, tmp_path, name, begins):
    assert report("--output", str(tmp_path / name))[0] == 0
    assert (tmp_path / name).read_text().startswith(begins)


def test_the_builds_before_are_there_too(report):
    assert report("--text")[1].out.startswith("Build of stt, tts, 2026-11-26")
    assert report("--text", "--back", "2")[1].out.startswith("Build of stt, tts, 2026-11-25")


@pytest.mark.parametrize(
    ("argv", "says"),
    [(("--back", "3"), "records of 2 builds"), (("--output", "a.pdf"), "ends with .html, .svg, .txt")],
)
def test_what_cannot_be_reported_is_said(report, argv, says):
    code, said = report(*argv)
    assert code == 2
    assert says in said.err


def test_a_project_that_was_never_built(tmp_path):
    with pytest.raises(UsageError, match="run `baker build` first"):
        contents.read(tmp_path)
