"""What a client counts of its own answers; time is an argument."""

from .distribution import Distribution
from .score import WARM_UP


class Tally:
    """Counts the answers of a session that begins with its first picture.

    `sent` answers went out, `not_found` of which said that there is no ball, and `dropped` ones
    could not. `detect_ms` is the detector's time without those of the first second.
    """

    def __init__(self) -> None:
        self.sent = self.dropped = self.not_found = 0
        self.detect_ms = Distribution()
        self._started: float | None = None

    def picture(self, at: float) -> None:
        """A picture was taken at an instant, in seconds of any one clock."""
        if self._started is None:
            self._started = at

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
