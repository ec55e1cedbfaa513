"""How a field of a configuration is said on a command line: declared once, beside the field.

    fps: float = default(30, Flag("Frames a second.", Group.VIDEO, least=1, most=120))

makes the field, `--fps`, `BALLSTREAM_FPS`, the line in `--help` with default and range, and the
error for what is out of range. Nothing here knows how a command line is read: `flags_of` says
which flags a configuration has, and `configured` makes one from what they say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, field, fields, is_dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, NamedTuple, Protocol, TypeVar, get_args

from .syntax import Syntax

Value = TypeVar("Value")
Config = TypeVar("Config")
Values = Mapping[str, Any]
"""What flags say, by their names as `Declared.name` has them; None for what was not given."""


class Group(StrEnum):
    """What flags are about, in the order of `--help`."""

    SIGNALING = "Signalling"
    SCENE = "Scene"
    VIDEO = "Video"
    DETECTOR = "Detector"
    NETWORK = "Network"
    WEB = "Web"
    RUN = "Run"
    OUTPUT = "Output"


class Setting(NamedTuple):
    """Something that another flag may say: `holds` tells of its value whether it does."""

    flag: str
    words: str
    holds: Callable[[Any], bool]

    def among(self, values: Values) -> bool:
        """Whether the flags say so."""
        return self.holds(values[_name(self.flag)])


def given(flag: str) -> Setting:
    """The flag is there, whatever its value."""
    return Setting(flag, flag, _is_something)


def _is_something(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def says(flag: str, word: str) -> Setting:
    """The flag has this value."""
    return Setting(flag, f"{flag} {word}", lambda value: value == word)


def says_not(flag: str, word: str) -> Setting:
    """The flag has another value."""
    return Setting(flag, f"another {flag} than {word}", lambda value: value != word)


class Flag(NamedTuple):
    """What a field's flag is called, takes and does.

    `names` are those that differ from the field's; `absent` is what `--help` shows as the default
    of a flag that has no value by itself. The flag has no effect unless one of the settings that
    it `needs` holds, nor where one of those holds that it goes `without`.
    """

    help: str
    group: Group
    names: tuple[str, ...] = ()
    metavar: str | None = None
    syntax: Syntax[Any] | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    above: float | None = None
    most: float | None = None
    folder: bool = False
    absent: str | None = None
    needs: tuple[Setting, ...] = ()
    without: tuple[Setting, ...] = ()


def default(value: Value, flag: Flag) -> Value:
    """A field with a default and a flag; a switch, `--no-...` where the default is True."""
    return field(default=value, metadata={Flag: flag})


class Said(Protocol):
    """A configuration of flags that together say one value."""

    def value(self) -> Any:
        """What they say."""


def where(*settings: Setting, said: type[Said] | None = None) -> Any:
    """A field for further flags together, which is None unless one of the settings holds.

    They are those of the field's own type or, where the field's value only follows from flags,
    those of `said`.
    """
    return field(default=None, metadata={Setting: settings, Said: said})


class Declared(NamedTuple):
    """A flag of a configuration, and what follows from the field that declares it.

    `places` has, for each field that the flag sets, what must be so for it to count there: of each
    group of settings, one.
    """

    field: Field[Any]
    places: tuple[tuple[tuple[Setting, ...], ...], ...]

    @property
    def flag(self) -> Flag:
        flag: Flag = self.field.metadata[Flag]
        return flag

    @property
    def names(self) -> tuple[str, ...]:
        """The flag as it is typed, `-s` and `--signaling`."""
        return _names(self.field)

    @property
    def name(self) -> str:
        """The name of its value, `signaling`, and in capitals that of its variable."""
        return _name(self.names[-1])

    @property
    def kind(self) -> type:
        """The type of its value, or of each where it may be repeated."""
        return _kind(self.field)

    @property
    def default(self) -> Any:
        """What stands for the flag where it is not given, as it would be typed; None for nothing.

        A switch is off, whatever that means for the field.
        """
        if self.is_switch:
            return False
        if self.flag.absent is not None or self.field.default is None:
            return None
        if self.flag.syntax is not None and not self.may_be_repeated:
            return self.flag.syntax.write(self.field.default)
        is_word = isinstance(self.field.default, StrEnum)
        return str(self.field.default) if is_word else self.field.default

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.kind is bool

    @property
    def may_be_repeated(self) -> bool:
        """Whether its values gather in a tuple."""
        return get_args(self.field.type)[-1:] == (...,)

    def idle(self, values: Values) -> str | None:
        """Why the flag has no effect among the others, `without --http`; None where it has one."""
        if any(setting.among(values) for setting in self.flag.without):
            return f"beside {_either(each for each in self.flag.without if each.among(values))}"
        lacking: list[Setting] = []
        for place in self.places:
            unmet = [group for group in place if not any(each.among(values) for each in group)]
            if not unmet:
                return None
            lacking += unmet[0]
        return f"without {_either(lacking)}"


def flags_of(config: type) -> list[Declared]:
    """The flags of a configuration, those of its parts among them; one may set several fields."""
    found: dict[str, Declared] = {}
    for made, needs in _fields(config, ()):
        known = found.get(_names(made)[-1], Declared(made, ()))
        own = made.metadata[Flag].needs
        place = (*needs, own) if own else needs
        found[known.names[-1]] = Declared(known.field, (*known.places, place))
    return list(found.values())


def configured(config: type[Config], values: Values) -> Config:
    """A configuration of what its flags say; the rest is as its fields have it."""
    arguments = {}
    for made in fields(config):  # type: ignore[arg-type]
        if Flag in made.metadata:
            value = values[_name(_names(made)[-1])]
            if value is not None:
                arguments[made.name] = value != made.default if _kind(made) is bool else value
        elif _is_there(made, values):
            part: Any = configured(_part(made), values)
            arguments[made.name] = part.value() if made.metadata.get(Said) else part
    return config(**arguments)


def _is_there(made: Field[Any], values: Values) -> bool:
    settings = made.metadata.get(Setting, ())
    return is_dataclass(_part(made)) and (
        not settings or any(each.among(values) for each in settings)
    )


def _part(made: Field[Any]) -> type:
    """The configuration that has the flags of a field which has none itself."""
    said: type[Said] | None = made.metadata.get(Said)
    return said or _kind(made)


def _fields(
    config: type, needs: tuple[tuple[Setting, ...], ...]
) -> Iterator[tuple[Field[Any], tuple[tuple[Setting, ...], ...]]]:
    """The fields with a flag, and those of parts, with what parts need to be there."""
    for made in fields(config):
        if Flag in made.metadata:
            yield made, needs
        elif is_dataclass(part := _part(made)):
            settings = made.metadata.get(Setting)
            yield from _fields(part, (*needs, settings) if settings else needs)


def _names(made: Field[Any]) -> tuple[str, ...]:
    names: tuple[str, ...] = made.metadata[Flag].names
    if names:
        return names
    return (f"--{'no-' if made.default is True else ''}{made.name.replace('_', '-')}",)


def _name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _kind(made: Field[Any]) -> type:
    """The type of a field; of an optional one without the None, of many that of each."""
    kind: Any = made.type
    of_many = [each for each in get_args(kind) if each not in (NoneType, ...)]
    return of_many[0] if of_many else kind  # type: ignore[no-any-return]


def _either(settings: Iterable[Setting]) -> str:
    *most, last = dict.fromkeys(each.words for each in settings)
    return f"{', '.join(most)} or {last}" if most else last
