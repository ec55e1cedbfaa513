import json
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import msgspec
from answers import session
from samples import NETWORK, SESSION

from ballstream.report import page
from ballstream.report.records import EmulatedNetwork, Ended, SessionReport

STEADY = [0.01] * 80
DASH = "\N{EN DASH}"
HOSTILE = "</script><script>alert(1)</script>\"'<!--<b>&amp;"


class Reader(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.scripts: list[str] = []
        self._text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        self._text += " "
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and self.lasttag == "script":
            self.scripts[-1] += data
        self._text += data

    @property
    def words(self) -> str:
        """All text, each run of white space as one space."""
        return " ".join(self._text.split())

    def values(self, tag: str) -> list[str | None]:
        """The attribute `value` of all elements with a tag."""
        pairs = zip(self.tags, self.attributes, strict=True)
        return [attributes["value"] for name, attributes in pairs if name == tag]


def read(
    *sessions: tuple[SessionReport, Iterable[str]],
    complete: bool = True,
    config: Mapping[str, Any] | None = None,
    network: EmulatedNetwork | None = None,
) -> Reader:
    """The page of some sessions, as a browser would read it."""
    lines = [line for _, some in sessions for line in some]
    reports = [report for report, _ in sessions]
    settings = {"size": [640, 480], "fps": 29.97, **(config or {})}
    return Reader(page.render(settings, {"cpus": 2}, reports, lambda: lines, complete, network))


def test_a_page_stands_alone() -> None:
    html = read(session(1, 0.0, STEADY))
    assert len(html.scripts) == 3
    assert {"link", "img", "iframe", "a", "base", "object"}.isdisjoint(html.tags)
    for attributes in html.attributes:
        assert {"src", "href", "srcset", "onload"}.isdisjoint(attributes)
    (policy,) = (
        each["content"]
        for each in html.attributes
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline';")


def test_all_of_a_report_is_in_the_tables() -> None:
    html = read((SESSION, []), complete=False)
    assert f"3 {DASH} track VP8 12.3 80.0 480 20 60 400 384 4 9 3 2 1 5 123,456" in html.words
    assert f"3 {DASH} no 4 3 2" in html.words
    figures = ["100", "0.5", "0.25", "1.125", "2.0", "3.0"]
    counts = ["480", "20", "60", "400", "384", "4", "9", "3", "2", "1", "5", "123456"]
    assert html.values("data") == [
        "12.34", "80.0", *counts, "4", "3", "2", *"000", *figures, *figures, *figures,
    ]  # fmt: skip
    assert f"Median latency {DASH} Median detection error 0.2500 px" in html.words


def test_an_emulated_network_is_told_with_the_steps_of_its_plan() -> None:
    steps = [(12.34, "down: loss=5%"), (20.0, "up: down")]
    html = read(session(1, 0.0, STEADY), network=EmulatedNetwork(NETWORK, steps))
    assert "Emulated network delay=40ms,loss=2% (seed 7)." in html.words
    assert f"To the client 2 300 0 0 0 0.0 {DASH} {DASH}" in html.words
    assert "12.3 down: loss=5% 20.0 up: down" in html.words
    charts = json.loads(html.scripts[1])
    marked = {
        each["name"]: [(shape["x0"], shape["label"]["text"]) for shape in each["layout"]["shapes"]]
        for each in charts
        if "shapes" in each["layout"]
    }
    assert set(marked) == {each["name"] for each in charts if each["name"].endswith("-over-time")}
    assert marked["latency_ms-over-time"] == steps


def test_no_network_is_told_where_none_was_emulated() -> None:
    assert "Emulated network" not in read(session(1, 0.0, STEADY)).words


def test_what_is_unknown_is_a_dash_and_an_ending_is_told() -> None:
    ended = Ended("server", True, "the encoder failed")
    report = msgspec.structs.replace(
        SESSION, client="left arm", channel=False, lost=None, ended=ended
    )
    html = read((report, []))
    assert "3 left arm track VP8" in html.words
    assert (
        "3 the encoder failed; it opened no coordinates channel yes "
        f"{DASH} {DASH} {DASH}" in html.words
    )


def test_the_medians_of_several_sessions_are_a_range() -> None:
    html = read(session(2, 0.0, [0.02] * 80), session(1, 0.0, STEADY))
    assert "Sessions 2 Frames due 160 Missed 0 Dropped 0 Answered 100.0 %" in html.words
    assert f"Median latency 10.00 {DASH} 20.00 ms" in html.words


def test_several_sessions_have_a_key() -> None:
    html = read(session(2, 0.0, STEADY), session(1, 0.0, STEADY))
    assert html.values("input") == ["1", "2"]
    assert "fieldset" not in read(session(1, 0.0, STEADY)).tags


def test_more_sessions_than_the_charts_show() -> None:
    html = read(*(session(number, 0.0, STEADY) for number in range(1, 15)))
    assert "The charts show the first 12 of 14 sessions; the tables show all." in html.words
    assert html.values("input") == [str(number) for number in range(1, 13)]
    assert len(html.values("data")) == 14 * (14 + 4 * 6 + 2)
    charts = json.loads(html.scripts[1])
    assert {trace["meta"]["session"] for chart in charts for trace in chart["data"]} == set(
        range(1, 13)
    )


def test_without_sessions_there_is_a_word_about_it() -> None:
    html = read()
    assert "No client was scored in this run" in html.words
    assert "fps 29.97" in html.words
    assert {"script", "figure", "data"}.isdisjoint(html.tags)


def test_without_a_figure_there_is_a_word_about_it() -> None:
    html = read(session(1, 0.0, STEADY, stamped=False))
    assert html.words.count("No answer has this figure") == 2
    assert html.tags.count("figure") == 4, "three of the tracking error, and the path"


def test_a_file_that_ends_early_is_mentioned() -> None:
    report, lines = session(1, 0.0, STEADY)
    html = read((report, lines[:40]), complete=False)
    assert "The disk was full" in html.words
    assert html.tags.count("figure") == 10
    assert "The disk was full" not in read((report, lines)).words


def test_hostile_settings_stay_text() -> None:
    sound = session(1, 0.0, STEADY)
    harmless, hostile = (read(sound, config={text: [text]}) for text in ("x", HOSTILE))
    assert hostile.words.count(HOSTILE) == 2
    assert hostile.tags == harmless.tags
    assert hostile.scripts == harmless.scripts


def test_hostile_reports_stay_text() -> None:
    report, lines = session(1, 0.0, STEADY)
    harmless = read((report, lines))
    hostile = read((msgspec.structs.replace(report, codec=HOSTILE), lines))
    assert HOSTILE in hostile.words
    assert hostile.tags == harmless.tags


def test_no_text_in_the_charts_can_end_their_script() -> None:
    html = read(session(1, 0.0, STEADY))
    assert "<" not in html.scripts[1]
    assert "<extra>" in json.loads(html.scripts[1])[0]["data"][0]["hovertemplate"]


def test_settings_are_in_words() -> None:
    servers = [{"url": "stun:a", "credential": "(secret)"}, {"url": "turn:b"}]
    html = read(
        config={
            "network": {"ice_servers": servers, "relay_only": False, "advertise": None},
            "stamp": True,
            "web": {"origins": ["https://a", "https://b"], "token": "(secret)"},
            "empty": [],
        },
    )
    for text in (
        "size 640, 480",
        "network.ice_servers.0.url stun:a",
        "network.ice_servers.0.credential (secret)",
        "network.ice_servers.1.url turn:b",
        "network.relay_only no",
        "network.advertise none",
        "stamp yes",
        "web.origins https://a, https://b",
        "empty none",
        "cpus 2",
    ):
        assert f" {text} " in f"{html.words} "


def test_the_template_is_a_file_of_the_package() -> None:
    assert files("ballstream").joinpath("report", "report.html.j2").is_file()
