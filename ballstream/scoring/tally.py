"""What a client counts of its own answers; time is an argument."""

from collections import deque

from .distribution import Distribution
from .score import WARM_UP

_REMEMBERED = 128


class Tally:
    """Counts the answers of a session that begins with its first picture.

    `sent` answers went out, `not_found` of which said that there is no ball, and `dropped` ones
    could not; `repeated` pictures had a number that was answered before, as the way of the video
    doubled them, and `unreadable` ones had none. `detect_ms` is the detector's time without those
    of the first second.
    """

    def __init__(self) -> None:
        self.sent = self.dropped = self.not_found = self.repeated = self.unreadable = 0
        self.detect_ms = Distribution()
        self._numbers: deque[int] = deque(maxlen=_REMEMBERED)
        self._started: float | None = None

    def picture(self, at: float) -> None:
        """A picture was taken at an instant, in seconds of any one clock."""
        if self._started is None:
            self._started = at

    def is_repeated(self, number: int | None) -> bool:
        """Take the number of a picture, None if it has none: whether one of the last had it."""
        if number is None:
            self.unreadable += 1
            return False
        if number in self._numbers:
            self.repeated += 1
            return True
        self._numbers.append(number)
        return False

    def answer(self, found: bool, sent: bool, detect_ms: float, at: float) -> None:
        """The picture was answered at an instant: whether with a ball, and whether it went out."""
        self.not_found += sent and not found
        self.sent += sent
        self.dropped += not sent
        if self.seconds(at) >= WARM_UP:
            self.detect_ms.add(detect_ms)

    def seconds(self, at: float) -> float:
        """How long the session had gone on at an instant."""
        return 0.0 if self._started is None else at - self._started
