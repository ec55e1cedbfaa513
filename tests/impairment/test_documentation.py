"""What docs/networks.md says of the grammar and the presets."""

import re
from pathlib import Path

from ballstream.impairment.conditions import QUANTITIES
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.presets import PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()


def test_every_preset_stands_there_as_it_is() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)
    documented = [row for row in rows if row[0] not in QUANTITIES]
    assert documented == [(name, each.spec, each.description) for name, each in PRESETS.items()]


def test_every_condition_stands_there_with_an_example() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| `(\1=.+?)` \|", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == list(QUANTITIES)
    for name, example in rows:
        needed = {"burst": "loss=2%", "reorder": "delay=40ms", "queue": "rate=1mbit"}
        parse_plan(",".join(filter(None, (needed.get(name), example))))


def test_every_plan_there_can_be_read() -> None:
    plans = re.findall(r"^    ([a-z]+=.*@.*)$", PAGE, re.MULTILINE)
    plans += re.findall(r'--impair\S* (?:"(.+?)"|(\S+))', PAGE)
    said = [each if isinstance(each, str) else "".join(each) for each in plans]
    specs = [each for each in said if "=" in each or each in PRESETS]
    assert len(specs) >= 6
    for spec in specs:
        parse_plan(spec.strip("`"))


def test_the_program_there_runs() -> None:
    _, section = PAGE.split("## In a program of yours\n")
    program, *_ = re.findall(r"\n\n((?:    .*\n|\n)+)", section)
    source = "\n".join(line[4:] for line in program.splitlines())
    exec(compile(source, "docs/networks.md", "exec"), {})  # noqa: S102 - the project's own page
