"""A flag is declared once: everything else follows from the field."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ballstream.commands.flags import command
from ballstream.config.flag import Flag, Group, default, given, says, where
from ballstream.config.syntax import SIZE


class Mood(StrEnum):
    """What a made-up flag may say."""

    CALM = "calm"
    WILD = "wild"


@dataclass(frozen=True, slots=True)
class Span:
    """From one hour to another."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Wind:
    """A part that is there where `--gust` is."""

    gust: float = default(1.5, Flag("How hard.", Group.SCENE, absent="none"))
    from_the: tuple[str, ...] = default((), Flag("Whence.", Group.SCENE, metavar="SIDE"))


@dataclass(frozen=True, slots=True)
class Hours:
    """Flags that together say one value, of a type that knows no flags."""

    early: int | None = default(None, Flag("From when.", Group.RUN))
    late: int | None = default(None, Flag("Until when.", Group.RUN))

    def value(self) -> Span:
        """The hours from the one to the other."""
        return Span(self.early or 0, self.late or 24)


@dataclass(frozen=True, slots=True)
class Config:
    """One field of each kind."""

    wobble: float = default(0.5, Flag("How far it shakes.", Group.SCENE, least=0, most=2))
    shakes: int | None = default(None, Flag("How often.", Group.VIDEO, above=0, absent="never"))
    mood: Mood = default(Mood.CALM, Flag("How it feels.", Group.DETECTOR))
    box: tuple[int, int] = default((320, 240), Flag("Its room.", Group.OUTPUT, syntax=SIZE))
    shadow: bool = default(True, Flag("Leave the shadow out.", Group.SCENE))
    howl: bool = default(False, Flag("Aloud.", Group.RUN, needs=(says("--mood", "wild"),)))
    whisper: int = default(3, Flag("Softly.", Group.RUN, without=(given("--howl"),)))
    nest: Path = default(Path("nest"), Flag("Where it sleeps.", Group.OUTPUT))
    wind: Wind | None = where(given("--gust"))
    span: Span | None = where(given("--early"), given("--late"), said=Hours)


@pytest.fixture
def invoke() -> Iterator[Callable[..., tuple[Result, Any]]]:
    """Runs a command of the made-up configuration; its result, and what it would run with."""
    level = logging.getLogger().level

    def run(*flags: str, **env: str) -> tuple[Result, Any]:
        seen: list[Config] = []

        def keep(config: Config) -> int:
            """Keep what was read."""
            seen.append(config)
            return 0

        result = CliRunner().invoke(command(Config, keep), flags, env=env)
        return result, seen[0] if seen else None

    yield run
    logging.getLogger().setLevel(level)


Invoke = Callable[..., tuple[Result, Any]]


def test_the_flag(invoke: Invoke) -> None:
    assert invoke("--wobble", "1.25")[1] == Config(wobble=1.25)
    assert invoke("--mood", "WILD")[1].mood is Mood.WILD
    assert invoke("--box", "640x480")[1] == Config(box=(640, 480))
    assert invoke("--no-shadow")[1] == Config(shadow=False)


def test_flags_that_together_say_a_value(invoke: Invoke) -> None:
    assert invoke()[1].span is None
    assert invoke("--late", "7")[1] == Config(span=Span(0, 7))
    assert invoke("--early", "3", "--late", "7")[1] == Config(span=Span(3, 7))


def test_the_environment_variable_against_which_the_flag_wins(invoke: Invoke) -> None:
    env = {"BALLSTREAM_WOBBLE": "0.25", "BALLSTREAM_NO_SHADOW": "1"}
    assert invoke(**env)[1] == Config(wobble=0.25, shadow=False)
    assert invoke("--wobble", "1", **env)[1] == Config(wobble=1, shadow=False)


@pytest.mark.parametrize("letter", ["\r", "\n", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused_and_shown(invoke: Invoke, letter: str) -> None:
    for result, config in (
        invoke("--gust", "1", "--from-the", f"north{letter}"),
        invoke("--gust", "1", "--from-the", "east", "--from-the", f"{letter}north"),
        invoke(BALLSTREAM_MOOD=f"wild{letter}"),
    ):
        assert (result.exit_code, config) == (2, None)
        assert f"there is a control character in it, {letter!r}" in result.output


def test_what_is_no_control_character_is_left_alone(invoke: Invoke) -> None:
    sides = ("Süd ☂", "no\udcffth")
    config = invoke("--gust", "1", "--from-the", sides[0], "--from-the", sides[1])[1]
    assert config.wind.from_the == sides


def test_a_home_is_found_where_no_shell_has_seen_to_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/arm")
    assert invoke("--nest=~/x")[1].nest == Path("/home/arm/x")
    assert invoke("--nest", "~nobody.at.all/x")[1].nest == Path("~nobody.at.all/x")
    assert invoke(BALLSTREAM_NEST="~/y")[1].nest == Path("/home/arm/y")


def test_the_default(invoke: Invoke) -> None:
    assert invoke()[1] == Config()
    assert Config() == Config(0.5, None, Mood.CALM, (320, 240), True, False, 3, Path("nest"), None)


def test_the_range(invoke: Invoke) -> None:
    for flags, text in {
        ("--wobble", "3"): "Invalid value for '--wobble': 3.0 is not in the range 0<=x<=2.",
        ("--wobble", "nan"): "'--wobble': nan is not a finite number",
        ("--shakes", "0"): "'--shakes': 0 is not in the range x>0.",
        ("--mood", "odd"): "'--mood': 'odd' is not one of 'calm', 'wild'.",
        ("--box", "one"): "'--box': 'one' is not a size like 640x480",
    }.items():
        result, config = invoke(*flags)
        assert (result.exit_code, config) == (2, None)
        assert text in result.output


def test_the_help_and_its_group(invoke: Invoke) -> None:
    text = invoke("--help")[0].output
    groups = dict(part.split(":\n", 1) for part in text.split("\n\n") if ":\n" in part)
    assert list(groups) == ["Scene", "Video", "Detector", "Run", "Output", "Other"]
    said = {group: " ".join(lines.split()) for group, lines in groups.items()}
    assert "--wobble FLOAT RANGE How far it shakes. [default: 0.5; 0<=x<=2]" in said["Scene"]
    assert "--no-shadow Leave the shadow out. [default: (off)]" in said["Scene"]
    assert "--from-the SIDE Whence. [default: (none)]" in said["Scene"]
    assert "--shakes INTEGER RANGE How often. [default: (never); x>0]" in said["Video"]
    assert "--mood [calm|wild] How it feels. [default: calm]" in said["Detector"]
    assert "--box WxH Its room. [default: 320x240]" in said["Output"]
    assert "Keep what was read." in text


def test_what_it_needs_and_goes_without(invoke: Invoke, caplog: pytest.LogCaptureFixture) -> None:
    assert invoke("--howl", "--mood", "wild")[1] == Config(mood=Mood.WILD, howl=True)
    result, config = invoke("--howl")
    assert (result.exit_code, config) == (2, None)
    assert "--howl has no effect without --mood wild" in result.output
    result, config = invoke("--howl", "--mood", "wild", "--whisper", "3")
    assert (result.exit_code, config) == (2, None)
    assert "--whisper has no effect beside --howl" in result.output
    assert invoke("--mood", "calm", BALLSTREAM_HOWL="0")[1] == Config()
    assert caplog.messages == []
    assert invoke("--mood", "calm", BALLSTREAM_HOWL="1")[1] == Config(howl=True)
    assert caplog.messages == ["BALLSTREAM_HOWL has no effect without --mood wild"]


def test_a_part_that_is_there_at_times(invoke: Invoke) -> None:
    assert invoke("--gust", "4")[1] == Config(wind=Wind(4))
    several = ("--gust", "4", "--from-the", "north", "--from-the", "east")
    assert invoke(*several)[1] == Config(wind=Wind(4, ("north", "east")))
    result, config = invoke("--from-the", "north")
    assert (result.exit_code, config) == (2, None)
    assert "--from-the has no effect without --gust" in result.output
