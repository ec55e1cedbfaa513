"""What can be checked of README and docs without running what they say."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from ballstream.commands.cli import bench_command, client_command, server_command

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
MOST_LINES = 150

_LINK = re.compile(r"\[[^][]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")

OF_OTHERS = {
    *("--build", "--build-arg", "--exit-code-from"),  # docker
    *("--for", "--from-literal", "--ignore-not-found", "--replicas", "--strict", "--tail"),
    "--timeout",  # these are of kubectl
    "--ignore-scripts",  # npm
}
"""Flags of programs that are not ballstream's."""


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in _LINK.findall(_FENCED.sub("", page.read_text())):
            if "://" not in target:
                yield page, target


@cache
def anchors(page: Path) -> set[str]:
    """What can be linked to in a page, made as GitHub makes it."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("page", "target"), list(links()), ids=lambda each: each if isinstance(each, str) else each.name
)
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    assert there.is_relative_to(ROOT)
    assert there.exists()
    if anchor:
        assert anchor in anchors(there)


def test_every_page_can_be_found_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    every = list(links())
    while waiting:
        page = waiting.pop()
        found.add(page)
        targets = {
            (page.parent / link.partition("#")[0]).resolve() for on, link in every if on == page
        }
        waiting += [each for each in targets if each in PAGES and each not in found]
    assert [page.name for page in DOCS if page not in found] == []


def test_the_readme_is_short() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= MOST_LINES
    assert any(line.startswith("![") for line in lines[:30])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_is_named_is_there(page: Path) -> None:
    ours = {
        option
        for command in (server_command(), client_command(), bench_command())
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert ours.isdisjoint(OF_OTHERS)
    text = re.sub(r"<!--.*?-->", "", page.read_text())
    assert set(_FLAG.findall(text)) - ours - OF_OTHERS == set()
