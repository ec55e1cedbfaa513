"""How bad a network is, and how that changes with time."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import msgspec

from ..errors import UsageError
from .quantities import DURATION, INSTANT, PACKETS, RATE, SHARE

QUANTITIES = {
    "delay": DURATION,
    "jitter": DURATION,
    "loss": SHARE,
    "burst": PACKETS,
    "reorder": SHARE,
    "rate": RATE,
    "queue": DURATION,
}
"""What can be said of a network with a number, in the words of tc-netem."""

MAY_BE_NONE = {"burst", "rate"}
MOST_STEPS = 1000
DEFAULT_QUEUE = 0.3
"""Seconds, as in the test cases of RFC 8867."""

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Conditions:
    """One direction of a network, at one time.

    `delay` is one way, in seconds, and `jitter` the standard deviation around it; `loss` and
    `reorder` are shares of all packets. Losses come alone where `burst` is None, else in runs of
    that many on average. `rate` is in bit/s, None without a limit, and `queue` the longest that a
    packet may wait for its turn, in seconds. Nothing passes while the network is `down`.

    Raises UsageError where a value is out of range or values do not go together.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    burst: float | None = None
    reorder: float = 0.0
    rate: float | None = None
    queue: float = DEFAULT_QUEUE
    down: bool = False

    def __post_init__(self) -> None:
        for name, quantity in QUANTITIES.items():
            value = getattr(self, name)
            if value is not None or name not in MAY_BE_NONE:
                quantity.check(value)
        if self.reorder and not self.delay:
            raise UsageError("reorder needs a delay: a packet overtakes those that are under way")
        if self.burst is not None and self.loss < 1:
            least = ceil(10 * self.loss / (1 - self.loss) - _ROUNDING) / 10
            if self.burst < least - _ROUNDING:
                raise UsageError(
                    f"a loss of {SHARE.format(self.loss)} comes in bursts of at least "
                    f"{PACKETS.format(least)}"
                )

    def loss_probability(self, forerunner_lost: bool | None) -> float:
        """The probability that a packet is lost, by the fate of the one before; None: the first.

        Gilbert's chain of two states (doi:10.1002/j.1538-7305.1960.tb03959.x), in one of which all
        is lost, set so that the share of losses and the mean length of their runs come out.
        """
        if self.burst is None or forerunner_lost is None or self.loss in (0, 1):
            return self.loss
        if forerunner_lost:
            return 1 - 1 / self.burst
        return self.loss / (1 - self.loss) / self.burst

    def __str__(self) -> str:
        """As a specification that is read as the same; what is not said is left out."""
        return self.changes_from(Conditions()) or "delay=0ms"

    def changes_from(self, before: "Conditions") -> str:
        """What differs from other conditions, as a specification; empty where nothing does."""
        words = []
        limited = self.rate is not None and before.rate is None
        for name, quantity in QUANTITIES.items():
            value = getattr(self, name)
            # A queue matters from the moment that there is a rate.
            if value != getattr(before, name) or (name == "queue" and limited):
                words.append(f"{name}={'none' if value is None else quantity.format(value)}")
        if self.down != before.down:
            words.append("down" if self.down else "up")
        return ",".join(words)


class Step(NamedTuple):
    """The conditions from an instant on, in seconds from the start of the plan."""

    at: float
    conditions: Conditions


class Outage(NamedTuple):
    """A time without any network, in seconds from the start; `until` is None where it stays so."""

    since: float
    until: float | None


class Plan(msgspec.Struct, frozen=True):
    """Conditions over time: steps in the order of time, of which the first is at 0.

    Raises UsageError where they are not, or where something is set that can never matter.
    """

    steps: tuple[Step, ...] = (Step(0.0, Conditions()),)

    def __post_init__(self) -> None:
        if not self.steps or self.steps[0].at != 0:
            raise UsageError("the first step of a plan is at 0s")
        if len(self.steps) > MOST_STEPS:
            raise UsageError(f"a plan has at most {MOST_STEPS} steps")
        for step in self.steps:
            INSTANT.check(step.at)
        for before, after in pairwise(self.steps):
            if after.at <= before.at:
                raise UsageError(
                    f"{INSTANT.format(after.at)} does not come after {INSTANT.format(before.at)}"
                )
        every = [step.conditions for step in self.steps]
        if any(each.burst for each in every) and not any(each.loss for each in every):
            raise UsageError("burst needs a loss as well: loss=2%")
        if any(each.queue != DEFAULT_QUEUE for each in every) and not any(
            each.rate for each in every
        ):
            raise UsageError("queue needs a rate as well: rate=1mbit")

    def at(self, seconds: float) -> Conditions:
        """The conditions at a time; before the start those at the start."""
        place = bisect_right(self.steps, seconds, key=lambda step: step.at)
        return self.steps[max(place - 1, 0)].conditions

    @property
    def outages(self) -> tuple[Outage, ...]:
        """The times without any network, in order."""
        found: list[Outage] = []
        for at, conditions in self.steps:
            running = bool(found) and found[-1].until is None
            if conditions.down and not running:
                found.append(Outage(at, None))
            elif running and not conditions.down:
                found[-1] = Outage(found[-1].since, at)
        return tuple(found)

    def __str__(self) -> str:
        """As a specification that is read as the same; a step says what it changes."""
        words = [str(self.steps[0].conditions)]
        for before, after in pairwise(self.steps):
            # A step that changes nothing must say something all the same.
            changes = after.conditions.changes_from(before.conditions) or str(after.conditions)
            words.append(f"{changes}@{INSTANT.format(after.at)}")
        return "; ".join(words)


CLEAN = Plan()
"""A network that does nothing."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """Which network to emulate in each direction: `down` to the client, `up` to the server."""

    down: Plan = CLEAN
    up: Plan = CLEAN
    seed: int = 0

    def __str__(self) -> str:
        """The specification of both directions, or of each."""
        return str(self.down) if self.down == self.up else f"down: {self.down} | up: {self.up}"
