import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from answers import session
from samples import SESSION

from ballstream.scoring import page

CONFIG = {"size": [640, 480], "fps": 29.97}
STEADY = [0.01] * 80


class Reader(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def read(*sessions: tuple[Any, list[str]], complete: bool = True, **config: object) -> Reader:
    lines = [line for _, some in sessions for line in some]
    reports = [report for report, _ in sessions]
    return Reader(page.render({**CONFIG, **config}, {"cpus": 2}, reports, lambda: lines, complete))


def test_a_page_stands_alone() -> None:
    html = read(session(1, 0.0, STEADY))
    assert html.count("script") == 3
    assert not [tag for tag, _ in html.tags if tag in ("link", "img", "iframe", "a")]
    assert not [attributes for _, attributes in html.tags if {"src", "href"} & set(attributes)]
    (policy,) = (
        attributes["content"]
        for tag, attributes in html.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline';")


def test_all_of_a_report_is_in_the_tables() -> None:
    html = read((SESSION, []), complete=False)
    for text in ("track", "VP8", "12.3", "400", "390", "123,456"):
        assert text in html.words
    values = [attributes["value"] for tag, attributes in html.tags if tag == "data"]
    assert values == [
        "12.34", "400", "390", "7", "2", "1", "5", "123456",
        "0",
        "100", "0.5", "0.25", "1.125", "2.0", "3.0",
        "100", "0.5", "0.25", "1.125", "2.0", "3.0",
    ]  # fmt: skip
    assert "Median latency – Median detection error 0.2500 px" in html.words


def test_the_medians_of_several_sessions_are_a_range() -> None:
    html = read(session(2, 0.0, [0.02] * 80), session(1, 0.0, STEADY))
    assert (
        "Sessions 2 Frames sent 160 Answered 100.0 % Median latency 10.00 – 20.00\xa0ms"
        in (html.text.replace("\n", " ").replace("  ", " "))
        or "Median latency 10.00 – 20.00 ms" in html.words
    )
    assert [attributes["value"] for tag, attributes in html.tags if tag == "input"] == ["1", "2"]


def test_one_session_needs_no_key() -> None:
    assert read(session(1, 0.0, STEADY)).count("fieldset") == 0


def test_more_sessions_than_the_charts_show() -> None:
    html = read(*(session(number, 0.0, STEADY) for number in range(1, 15)))
    assert "The charts show the first 12 of 14 sessions" in html.words
    assert html.count("input") == 12
    assert html.words.count("data") == 0 or html.count("tr") > 4 * 14


def test_without_sessions_there_is_a_word_about_it() -> None:
    html = read()
    assert "No client was scored in this run" in html.words
    assert "fps 29.97" in html.words
    assert html.count("script") == 0
    assert html.count("figure") == 0


def test_without_a_figure_there_is_a_word_about_it() -> None:
    html = read(session(1, 0.0, STEADY, stamped=False))
    assert html.words.count("No answer has this figure") == 2
    assert html.count("figure") == 4, "tracking error and path"


def test_a_file_that_ends_early_is_mentioned() -> None:
    report, lines = session(1, 0.0, STEADY)
    assert "The disk was full" in read((report, lines[:40]), complete=False).words
    assert "The disk was full" not in read((report, lines)).words


HOSTILE = "</script><script>alert(1)</script>\"'<!--<b>&amp;"


def test_hostile_settings_stay_text() -> None:
    harmless = read(session(1, 0.0, STEADY), path="x")
    html = read(session(1, 0.0, STEADY), path=HOSTILE, **{HOSTILE: 1})
    assert html.words.count(HOSTILE) == 2
    assert [tag for tag, _ in html.tags][: len(harmless.tags)] != []
    assert html.scripts == harmless.scripts
    assert html.count("b") == 0


def test_hostile_reports_stay_text() -> None:
    import msgspec

    report, lines = session(1, 0.0, STEADY)
    html = read((msgspec.structs.replace(report, codec=HOSTILE), lines))
    assert HOSTILE in html.words
    assert html.count("script") == 3


def test_charts_cannot_end_their_script() -> None:
    html = page.render(CONFIG, {}, [session(1, 0.0, STEADY)[0]], lambda: [], False)
    assert "</script>" not in html or html.count("</script>") == html.count("<script")
    (data,) = re.findall(r'<script id="charts" type="application/json">(.*?)</script>', html)
    assert json.loads(data) == []


def test_settings_are_in_words() -> None:
    html = read(
        network={
            "ice_servers": [{"url": "stun:a", "credential": "(secret)"}, {"url": "turn:b"}],
            "relay_only": False,
            "advertise": None,
        },
        stamp=True,
        web={"origins": ["https://a", "https://b"], "token": "(secret)"},
        empty=[],
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
        assert text in html.words


@pytest.mark.parametrize("path", ["scoring/report.html.j2"])
def test_the_template_comes_with_the_package(path: str) -> None:
    from importlib.resources import files

    assert files("ballstream").joinpath(path).is_file()
