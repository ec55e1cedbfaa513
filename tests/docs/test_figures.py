"""The figures of README and docs are those that were measured."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIGURES = runpy.run_path(str(ROOT / "docs" / "figures.py"))
RESULTS = FIGURES["measured"]()
rewritten = FIGURES["rewritten"]


@pytest.mark.parametrize("page", FIGURES["PAGES"], ids=lambda page: page.name)
def test_a_page_is_as_make_figures_writes_it(page: Path) -> None:
    text = page.read_text()
    assert text == rewritten(text, RESULTS)


def test_every_table_is_on_some_page() -> None:
    pages = "".join(page.read_text() for page in FIGURES["PAGES"])
    assert [name for name in FIGURES["BLOCKS"] if f"<!-- figures: {name} -->" not in pages] == []


def test_a_figure_that_somebody_wrote_by_hand_is_seen() -> None:
    text = "in <!-- figure: clean.latency_p50_ms -->0.1<!-- --> ms"
    assert rewritten(text, RESULTS) != text
    (latency,) = (
        each["figures"]["latency_p50_ms"]
        for each in RESULTS["bench"]["scenarios"]
        if each["name"] == "clean"
    )
    assert rewritten(text, RESULTS) == text.replace("0.1", f"{latency:.1f}")


@pytest.mark.parametrize(
    "mark",
    [
        "<!-- figures: nothing -->\n<!-- end -->",
        "<!-- figure: nobody.latency_p50_ms --><!-- -->",
        "<!-- figure: clean.nothing --><!-- -->",
    ],
)
def test_an_unknown_figure_is_an_error(mark: str) -> None:
    with pytest.raises(KeyError):
        rewritten(mark, RESULTS)


def test_an_unknown_example_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        rewritten("<!-- example: nothing.py -->\n<!-- end -->", RESULTS)


@pytest.mark.parametrize(
    "mark",
    [
        "<!-- figures: readme -->\n<!-- ende -->",
        "<!-- figure: clean -->1<!-- -->",
        "<!-- figure: clean.latency_p50_ms -->1<!-- figure: stock.latency_p50_ms -->2<!-- -->",
    ],
)
def test_a_mark_that_nothing_ends_is_an_error(mark: str) -> None:
    with pytest.raises(ValueError, match="begin"):
        rewritten(mark, RESULTS)
