"""What is counted of a session: every count is declared here, once, with all that is said of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, TypeVar, get_type_hints

import msgspec

Declaration = TypeVar("Declaration")


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter for Prometheus: its family, and the value of the family's label, if it has one."""

    family: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How to speak of a count.

    `title` heads a column of a table, `words` follow the number in a sentence, `live` heads the
    column of the live views, which leave out a count without one.
    """

    title: str
    words: str
    meaning: str
    metric: Metric | None = None
    live: str | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one session, in which every frame has one fate.

    `frames_due` = `frames_missed` + `frames_dropped` + `frames_sent`, and
    `frames_sent` = `frames_answered` + `unnumbered` + `frames_lost` + `frames_undecided`.
    """

    frames_due: Annotated[
        int,
        Count(
            "Frames due",
            "frames due",
            "Frames whose time came while the client could answer.",
            Metric("frames_due"),
            live="due",
        ),
    ]
    frames_missed: Annotated[
        int,
        Count(
            "Missed",
            "missed",
            "Frames that the server did not make, as it was late.",
            Metric("frames", "missed"),
            live="missed",
        ),
    ]
    frames_dropped: Annotated[
        int,
        Count(
            "Dropped",
            "dropped",
            "Frames that were not sent, as the client, or the way to it, did not keep up.",
            Metric("frames", "dropped"),
            live="dropped",
        ),
    ]
    frames_sent: Annotated[
        int,
        Count(
            "Sent",
            "sent",
            "Frames that went out to clients that answer.",
            Metric("frames_sent"),
        ),
    ]
    frames_answered: Annotated[
        int,
        Count(
            "Answered",
            "answered",
            "Frames for which an estimate came back, also one that there is no ball.",
            Metric("frames", "answered"),
        ),
    ]
    unnumbered: Annotated[
        int,
        Count(
            "Unnumbered",
            "answered without a number",
            "Estimates that name no frame, each of which makes one fewer a lost one.",
            Metric("frames", "unnumbered"),
        ),
    ]
    frames_lost: Annotated[
        int,
        Count(
            "Lost",
            "lost",
            "Frames that went out and no estimate came back for.",
            Metric("frames", "lost"),
        ),
    ]
    frames_undecided: Annotated[
        int,
        Count(
            "Undecided",
            "undecided",
            "Frames of the end, whose answers may still have been on their way.",
        ),
    ]
    not_found: Annotated[
        int,
        Count("Not found", "not found", "Answers that there is no ball.", Metric("not_found")),
    ]
    duplicates: Annotated[
        int,
        Count(
            "Duplicates",
            "duplicate",
            "Estimates for which there was no frame without an answer any more.",
            Metric("messages_rejected", "duplicate"),
        ),
    ]
    rejected: Annotated[
        int,
        Count(
            "Rejected",
            "rejected",
            "Messages that were no sound estimate of a frame that went out, or came after 10 s.",
            Metric("messages_rejected", "invalid"),
        ),
    ]

    @property
    def answered_percent(self) -> float | None:
        """The share of the frames due that were answered; None where none was due."""
        return 100 * self.frames_answered / self.frames_due if self.frames_due else None


def summed(several: Iterable[Counts]) -> Counts:
    """The counts of several sessions together."""
    sessions = list(several)
    names = Counts.__struct_fields__
    return Counts(**{name: sum(getattr(each, name) for each in sessions) for name in names})


@cache
def declared(record: type[msgspec.Struct], kind: type[Declaration]) -> dict[str, Declaration]:
    """The fields of a record that carry a declaration of some kind, in order."""
    hints = get_type_hints(record, include_extras=True)
    return {
        name: note
        for name in record.__struct_fields__
        for note in getattr(hints[name], "__metadata__", ())
        if isinstance(note, kind)
    }


def counts_of(record: type[msgspec.Struct]) -> dict[str, Count]:
    """The counts among the fields of a record, in order."""
    return declared(record, Count)
