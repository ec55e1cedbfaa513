"""From `delay=40ms; loss=5%@10s; down@30s; up@33s` to a plan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UsageError
from .conditions import MAY_BE_NONE, MOST_STEPS, QUANTITIES, Conditions, Plan, Step
from .presets import PRESETS
from .quantities import INSTANT

_CONTEXT = 40
"""Characters that an error shows on either side of the place that it is about."""

_STATES = {"down": True, "up": False}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a specification, which knows where in the whole it stands."""

    whole: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.whole[self.start : self.end]

    def stripped(self) -> "_Part":
        start = self.end - len(self.text.lstrip())
        return _Part(self.whole, start, start + len(self.text.strip()))

    def split(self, separator: str) -> "Iterator[_Part]":
        """The parts between separators, without blanks around them."""
        start = self.start
        for text in self.text.split(separator):
            yield _Part(self.whole, start, start + len(text)).stripped()
            start += len(text) + len(separator)

    def error(self, reason: object) -> UsageError:
        """The error that marks this part in its surroundings."""
        before, after = self.whole[: self.start], self.whole[self.end :]
        before = before if len(before) <= _CONTEXT else f"...{before[-_CONTEXT:]}"
        after = after if len(after) <= _CONTEXT else f"{after[:_CONTEXT]}..."
        text = self.text if len(self.text) <= _CONTEXT else f"{self.text[:_CONTEXT]}..."
        return UsageError(f"{before}>>{text}<<{after}: {reason}")


def parse_plan(spec: str) -> Plan:
    """Read a specification: a preset's name, conditions, or several of these over time.

    A step changes only what it names. Raises UsageError, with the place marked.
    """
    whole = _Part(spec, 0, len(spec))
    steps: list[Step] = []
    if spec.count(";") >= MOST_STEPS:
        raise whole.error(f"a plan has at most {MOST_STEPS} steps")
    for place, part in enumerate(whole.split(";")):
        at, changes = _step(part, first=place == 0)
        before = steps[-1] if steps else Step(0.0, Conditions())
        if not steps and at > 0:
            steps.append(before)
        elif steps and at <= before.at:
            raise part.error(f"this does not come after {INSTANT.format(before.at)}")
        try:
            steps.append(Step(at, replace(before.conditions, **changes)))
        except UsageError as error:
            raise part.error(error) from None
    try:
        return Plan(tuple(steps))
    except UsageError as error:
        raise whole.error(error) from None


def _step(part: _Part, *, first: bool) -> tuple[float, dict[str, Any]]:
    """When a step is, and what it changes."""
    what, *when = part.split("@")
    if len(when) > 1:
        raise when[1].error("a step has one time")
    if not first and not when:
        raise part.error(f"when? {part.text or 'loss=5%'}@10s")
    at = 0.0
    if when:
        try:
            at = INSTANT.parse(when[0].text)
        except UsageError as error:
            raise when[0].error(error) from None
    changes: dict[str, Any] = {}
    said: set[str] = set()
    for place, item in enumerate(what.split(",")):
        new = _item(item)
        is_preset = item.text.lower() in PRESETS
        if is_preset and place > 0:
            raise item.error("a preset stands before what differs from it")
        if said & new.keys():
            raise item.error(f"{min(said & new.keys())} is said twice")
        changes |= new
        said |= set() if is_preset else new.keys()
    return at, changes


def _item(part: _Part) -> dict[str, Any]:
    """What one of the parts between commas says."""
    word = part.text.lower()
    if word in _STATES:
        return {"down": _STATES[word]}
    if word in PRESETS:
        preset = PRESETS[word].spec
        return {
            name: value
            for each in _Part(preset, 0, len(preset)).split(",")
            for name, value in _item(each).items()
        }
    name, *values = part.split("=")
    key = name.text.lower()
    if key not in QUANTITIES or not values:
        raise name.error(_what_there_is(key))
    value = _Part(part.whole, values[0].start, part.end)
    if value.text.lower() == "none" and key in MAY_BE_NONE:
        return {key: None}
    try:
        return {key: QUANTITIES[key].parse(value.text)}
    except UsageError as error:
        raise value.error(error) from None


def _what_there_is(key: str) -> str:
    if key in QUANTITIES:
        return f"how much? {key}={QUANTITIES[key].example}"
    if key in PRESETS or key in _STATES:
        return f"{key} stands alone, without a value"
    return (
        f"there is {', '.join(QUANTITIES)}, each with =, and there is down, up, "
        f"and for whole networks {', '.join(PRESETS)}"
    )
