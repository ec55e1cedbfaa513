"""What became of every frame that a client was due: missed, dropped, or sent, answered or not."""

import math
from collections.abc import Iterator

import msgspec

from ..protocol.stamp import MODULUS

REMEMBERED = 10.0
"""Seconds for which a frame waits for its answer; a later one is late, and the frame is lost."""

_FORGOTTEN = 60.0
"""Seconds after which nobody knows any more that a frame had no answer."""

_IN_THE_MAKING = 0.5
"""Seconds before the end in which a frame of which nothing was heard may have been on its way."""

_EARLY = 1e-3
"""Part of a frame time by which a frame may be drawn too early: as little as a clock may err."""


class Schedule(msgspec.Struct, frozen=True):
    """Frame `i` is due at `origin + i / fps`."""

    origin: float
    fps: float

    def position(self, at: float) -> float:
        """An instant, counted in frame times."""
        return (at - self.origin) * self.fps


class Frame:
    """A frame that was drawn, and either went out to a client or was dropped on the way to it."""

    __slots__ = ("answered", "claimed_at", "drawn_at", "due", "late", "number", "seconds", "sent")

    def __init__(self, number: int, seconds: float, drawn_at: float, sent: bool) -> None:
        self.number = number
        self.seconds = seconds
        self.drawn_at = drawn_at
        self.sent = sent
        self.answered = False
        self.claimed_at: float | None = None
        """When an estimate came that names no frame, and was taken for the answer to this one."""

        self.late = False
        """Whether an answer came when it was lost already."""

        self.due = True
        """Whether it was drawn for a client that could answer it."""

    @property
    def unanswered(self) -> bool:
        """Whether an answer is due that did not come, with a number or without."""
        return self.due and self.sent and not self.answered and self.claimed_at is None


class Fates(msgspec.Struct, frozen=True):
    """Numbers of frames; those `open` were sent and not answered, but may still be.

    `unnumbered` were answered by an estimate that names no frame.
    """

    due: int
    dropped: int
    sent: int
    answered: int
    unnumbered: int
    open: int


class _Tally(msgspec.Struct):
    """Of the frames due, but for `went_out`, which counts also those before the opening.

    `late` ones have an answer that came when they were lost.
    """

    went_out: int = 0
    dropped: int = 0
    sent: int = 0
    answered: int = 0
    unnumbered: int = 0
    late: int = 0


class Ledger:
    """Keeps account of the frames of one client by their numbers, in bounded memory.

    Frames are due from `opened` on; then every number up to the newest counts, told or not. With a
    `schedule` it is known which is the first, and what was due at the end, too, when nothing came
    any more. What was before is remembered, as an answer to it may yet come.

    An estimate without a number is taken for the answer to the oldest frame that is open, and makes
    way, to the next that was there when it came, for an answer with a number.

    It has eleven fields: what was due, what became of it, and frames by how long they are known.
    """

    def __init__(self, schedule: Schedule | None) -> None:
        self.started: float | None = None
        """The instant before the first frame was drawn that went out."""

        self._schedule = schedule
        self._opened: float | None = None
        self._first: int | None = None
        self._last = -1
        self._paused = False
        self._passed_over = 0  # numbers whose time came while nothing was to go out
        self._tally = _Tally()
        self._open: dict[int, Frame] = {}  # those of the last ten seconds that may be answered yet
        self._frames: dict[int, Frame] = {}  # of the last ten seconds
        self._old: dict[int, Frame] = {}  # older ones that had no answer

    def opened(self, at: float) -> None:
        """From an instant on the client can answer; only the first time counts."""
        if self._opened is not None:
            return
        self._opened = at
        if self._schedule is not None:
            self._first = math.ceil(self._schedule.position(at))
            self._last = self._first - 1

    def joined(self, at: float) -> None:
        """From an instant on the client can answer what goes out anyhow; so does its time count."""
        self.opened(at)
        if self.started is not None:
            self.started = at

    def interrupted(self) -> None:
        """Nothing goes out, until a frame does; numbers between the two are not due."""
        self._paused = True

    @property
    def began(self) -> float | None:
        """The instant from which on the client was due frames, or got some; None before."""
        known = [each for each in (self._opened, self.started) if each is not None]
        return min(known, default=None)

    def drawn(self, number: int, seconds: float, at: float) -> None:
        """A frame went out."""
        if self.started is None:
            self.started = at
        frame = self._frames.get(number % MODULUS)
        if frame is None:
            self._enter(Frame(number, seconds, at, sent=True))
        elif not frame.sent:  # it was dropped on the way by the other transport
            frame.sent = True
            self._tally.dropped -= frame.due
            self._note_sent(frame)

    def dropped(self, number: int, seconds: float, at: float) -> None:
        """A frame was left out, as the client, or the way to it, did not keep up."""
        if number % MODULUS not in self._frames:
            self._enter(Frame(number, seconds, at, sent=False))

    def _enter(self, frame: Frame) -> None:
        frame.due = self._opened is not None
        if frame.due and self._paused:
            self._pass_over(frame.number)
        if frame.due:
            self._first = frame.number if self._first is None else min(self._first, frame.number)
            self._last = max(self._last, frame.number)
        self._frames[frame.number % MODULUS] = frame
        if frame.sent:
            self._note_sent(frame)
        else:
            self._tally.dropped += frame.due
        self._age(frame.drawn_at)

    def _pass_over(self, until: int) -> None:
        self._paused = False
        if self._first is not None:
            self._passed_over += max(until - self._last - 1, 0)

    def _note_sent(self, frame: Frame) -> None:
        self._tally.went_out += 1
        if frame.due:
            self._tally.sent += 1
            self._open[frame.number % MODULUS] = frame

    def _age(self, now: float) -> None:
        for key, frame in _older(self._frames, now - REMEMBERED):
            if not frame.answered:
                self._old[key] = frame
                self._open.pop(key, None)
        for _ in _older(self._old, now - _FORGOTTEN):
            pass

    def find(self, stamp: int) -> Frame | None:
        """The frame that went out with a stamp, unless it is long ago or was answered since."""
        frame = self._frames.get(stamp) or self._old.get(stamp)
        return frame if frame is not None and frame.sent else None

    def answer(self, frame: Frame) -> bool:
        """Let a frame be answered.

        False where an estimate without a number had been taken for the answer, and there is no
        other frame for that one.
        """
        frame.answered = True
        self._tally.answered += 1
        self._open.pop(frame.number % MODULUS, None)
        if frame.claimed_at is None:
            return True
        self._tally.unnumbered -= 1
        return self.claim(frame.claimed_at)

    def claim(self, at: float) -> bool:
        """Let an estimate without a number, of an instant, answer the oldest frame that is open.

        False where it can be the answer to none.
        """
        frame = self.claimable(at)
        if frame is None:
            return False
        del self._open[frame.number % MODULUS]
        frame.claimed_at = at
        self._tally.unnumbered += 1
        return True

    def claimable(self, at: float) -> Frame | None:
        """The frame that such an estimate would answer."""
        self._age(at)
        oldest = next(iter(self._open.values()), None)
        return None if oldest is None or oldest.drawn_at > at else oldest

    def late(self, frame: Frame) -> None:
        """Let a frame be lost for sure, because its answer came too late."""
        frame.late = True
        self._tally.late += frame.unanswered

    @property
    def lost_late(self) -> int:
        """How many frames were lost because the answer came too late."""
        return self._tally.late

    @property
    def went_out(self) -> int:
        """How many frames were sent in all, due or not."""
        return self._tally.went_out

    def now(self) -> Fates:
        """The account at present; open are all that may be answered yet, in no time to speak of."""
        tally = self._tally
        due = 0 if self._first is None else self._last - self._first + 1 - self._passed_over
        return Fates(
            due, tally.dropped, tally.sent, tally.answered, tally.unnumbered, len(self._open)
        )

    def total(self, until: float, grace: float) -> Fates:
        """The account of a session that ended at an instant: what was drawn later is left out.

        Open are the frames of the last `grace` seconds that had no answer.
        """
        unseen = [frame for frame in self._known() if frame.due and frame.drawn_at > until]
        waiting = [
            frame
            for frame in self._known()
            if frame.unanswered and until - grace < frame.drawn_at <= until
        ]
        return Fates(
            due=self._due_until(until, [frame.number for frame in unseen]),
            dropped=self._tally.dropped - sum(not frame.sent for frame in unseen),
            sent=self._tally.sent - sum(frame.unanswered for frame in unseen),
            answered=self._tally.answered,
            unnumbered=self._tally.unnumbered,
            open=len(waiting),
        )

    def _due_until(self, until: float, unseen: list[int]) -> int:
        """How many frames were due by an instant, from which on those `unseen` were drawn.

        Frames of which nothing was heard are due only after a while: one may have been on its way.
        """
        if self._first is None:
            return 0
        last = min(unseen) - 1 if unseen else self._last
        if self._schedule is not None and not self._paused:
            position = self._schedule.position
            if unseen:
                last = min(last, math.floor(position(until) + _EARLY))
            last = max(last, math.floor(position(until - _IN_THE_MAKING)))
        return max(last - self._first + 1 - self._passed_over, 0)

    def _known(self) -> Iterator[Frame]:
        yield from self._old.values()
        yield from self._frames.values()


def _older(frames: dict[int, Frame], than: float) -> Iterator[tuple[int, Frame]]:
    """Take out the frames that were drawn before an instant, the oldest first."""
    while frames:
        key = next(iter(frames))
        if frames[key].drawn_at >= than:
            return
        yield key, frames.pop(key)
