"""What click must know of the values of a flag, from what its declaration says."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from ..config.flag import Declared
from ..config.syntax import Syntax


def type_of(declared: Declared) -> click.ParamType[Any]:
    """The type that reads a flag's value, or each of them."""
    flag, kind = declared.flag, declared.kind
    if flag.syntax is not None:
        return Written(flag.syntax)
    if flag.choices:
        return click.Choice(flag.choices, case_sensitive=False)
    if issubclass(kind, StrEnum):
        return Word(list(kind), case_sensitive=False)
    if issubclass(kind, Path):
        return HomePath(path_type=Path, file_okay=not flag.folder)
    least = flag.least if flag.above is None else flag.above
    limits: Any = {"min": least, "max": flag.most, "min_open": flag.above is not None}
    if issubclass(kind, float):
        return Finite(**limits)
    if issubclass(kind, int):
        return click.INT if least is flag.most is None else click.IntRange(**limits)
    return click.STRING


class Written(click.ParamType[Any]):
    """A value that has a syntax of its own."""

    def __init__(self, syntax: Syntax[Any]) -> None:
        self.name = syntax.metavar
        self._syntax = syntax

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._syntax.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Word(click.Choice[StrEnum]):
    """One of the words of an enumeration, by its value; click's own goes by the name."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        return super().normalize_choice(str(choice), ctx)


class HomePath(click.Path):
    """A path; `~` is the user's home also where no shell has seen to it, as in `--output=~/x`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111 - of any type


class Finite(click.FloatRange):
    """A number in a range; unlike click's own, it lets no NaN through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number or number in (float("inf"), float("-inf")):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number
