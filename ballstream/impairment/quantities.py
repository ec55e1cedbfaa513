"""Numbers with units, as tc-netem writes them: `40ms`, `2%`, `1mbit`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..errors import UsageError

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z%]*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of number: what it is called, an example, its units, and its range.

    `units` says how much one of each is in the unit of the values; the first is the one to propose.
    Zero is allowed beside the range where `or_zero` says so. Scaling is decimal, so that what
    is formatted is read again as the very same number.
    """

    name: str
    example: str
    units: Mapping[str, Decimal]
    least: float
    most: float
    or_zero: bool = True

    def parse(self, text: str) -> float:
        """Read a number with its unit; raises UsageError that says what is wrong with it."""
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise UsageError(f"not a {self.name} like {self.example}")
        number, unit = Decimal(match[1]), match[2].lower()
        if unit not in self.units and (unit or number):
            raise UsageError(self._unit_missing(match[1], unit))
        value = float(number * self.units.get(unit, 1))
        self.check(value)
        return value

    def _unit_missing(self, number: str, unit: str) -> str:
        if not unit:
            return f"{number} of what? {number}{next(iter(self.units))}"
        known = ", ".join(filter(None, self.units))
        return (
            f"a {self.name} is in {known}, not in {unit}" if known else f"a {self.name} has no unit"
        )

    def check(self, value: float) -> None:
        """Raise UsageError where a value is out of range."""
        if self.least <= value <= self.most or (self.or_zero and value == 0):
            return
        zero = "0, or " if self.or_zero else ""
        least, most = self.format(self.least), self.format(self.most)
        raise UsageError(f"a {self.name} is {zero}from {least} to {most}")

    def format(self, value: float) -> str:
        """A value in the largest unit in which it is at least one, else in the smallest."""
        exact = Decimal(repr(float(value)))
        downwards = sorted(self.units, key=self.units.__getitem__, reverse=True)
        unit = next((each for each in downwards if exact >= self.units[each]), downwards[-1])
        unit = unit if exact else next(iter(self.units))
        digits = f"{exact / self.units[unit]:f}"
        return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + unit


DURATION = Quantity(
    "time",
    "40ms",
    {"ms": Decimal("0.001"), "s": Decimal(1), "us": Decimal("0.000001")},
    least=1e-6,
    most=10.0,
)
"""How long something takes, in seconds."""

INSTANT = Quantity("time", "10s", {"s": Decimal(1), "ms": Decimal("0.001")}, least=1e-3, most=1e6)
"""When something happens, in seconds from the start."""

SHARE = Quantity("share", "2%", {"%": Decimal("0.01")}, least=1e-6, most=1.0)
"""Of all packets, from 0 to 1."""

RATE = Quantity(
    "rate",
    "1mbit",
    {"mbit": Decimal(10**6), "kbit": Decimal(1000), "bit": Decimal(1), "gbit": Decimal(10**9)},
    least=1e3,
    most=1e11,
    or_zero=False,
)
"""Bits a second."""

PACKETS = Quantity(
    "number of packets", "5", {"": Decimal(1)}, least=1.0, most=1000.0, or_zero=False
)
"""A mean, so it need not be whole."""
