"""The flags of the benchmark."""

from dataclasses import dataclass

from ..config import syntax
from ..config.flag import Flag, Group, default, given
from .scenarios import SCENARIOS


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """The flags of `ballstream-bench`; the duration in seconds."""

    scenarios: tuple[str, ...] = default(
        ("clean", "stock"),
        Flag(
            "What to run; give it several times to compare. The scenarios are "
            + "; ".join(f"{each.name}: {each.meaning}" for each in SCENARIOS.values())
            + ".",
            Group.RUN,
            names=("--scenario",),
            choices=tuple(SCENARIOS),
            without=(given("--proof"),),
        ),
    )
    repeat: int = default(
        3, Flag("Runs of each scenario.", Group.RUN, least=1, without=(given("--profile"),))
    )
    duration: float = default(
        10.0, Flag("Seconds that a run takes.", Group.RUN, metavar="S", least=3)
    )
    profile: bool = default(
        False, Flag("Show where the time of the first scenario's loop goes.", Group.RUN)
    )
    proof: bool = default(
        False,
        Flag(
            "Show that the figures are right: known delays, beside what caused and recorded them; "
            "fails where they differ by more than half a millisecond.",
            Group.RUN,
            without=(given("--profile"),),
        ),
    )
    publish: str | None = default(
        None,
        Flag(
            "Run each scenario through a media server as well, where the server publishes there.",
            Group.RUN,
            syntax=syntax.HTTP_URL,
            needs=(given("--watch"),),
            without=(given("--profile"), given("--proof")),
        ),
    )
    watch: str | None = default(
        None,
        Flag(
            "Where the client watches what the media server has of it.",
            Group.RUN,
            syntax=syntax.HTTP_URL,
            needs=(given("--publish"),),
        ),
    )
    list: bool = default(
        False, Flag("Name the scenarios, and the networks that --impair knows.", Group.RUN)
    )
    json: bool = default(
        False, Flag("Print JSON to standard output, and nothing else.", Group.OUTPUT)
    )
