"""What a client says, on its way to the score: read, limited, judged; time is an argument."""

from ..errors import ProtocolError
from ..protocol import messages
from ..protocol.messages import Alive, Feedback
from ..rate import RateLimit
from .score import Result, Scorer, Verdict

_MESSAGES_PER_SECOND = 500
_REFUSED_PER_SECOND, _MOST_REFUSED = 10, 5_000


class Intake:
    """Takes the messages of one client; what is no sound estimate is counted and dropped.

    `exhausted` is True once a client has said nothing but rubbish for too long, `alive` is what it
    last said of itself that can be, or None where it never did.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.exhausted = False
        self.alive: Alive | None = None
        self._scorer = scorer
        self._rate = RateLimit(_MESSAGES_PER_SECOND, _MESSAGES_PER_SECOND)
        self._patience = RateLimit(_REFUSED_PER_SECOND, _MOST_REFUSED)

    def take(self, text: object, at: float) -> Verdict | None:
        """Take a message that arrived at an instant; None where it is no estimate that counts."""
        try:
            if not self._rate.allows(at):
                raise ProtocolError("too many messages")
            message = messages.decode_report(text)
        except ProtocolError:
            self._refuse(at)
            return None
        if isinstance(message, Alive):
            if self._scorer.alive(message):
                self.alive = message
            else:
                self._refuse(at)
            return None
        verdict = self._scorer.score(message, at)
        return None if verdict.result in (Result.EARLY, Result.AGAIN) else verdict

    def _refuse(self, at: float) -> None:
        self._scorer.reject()
        if not self._patience.allows(at):
            self.exhausted = True

    def feedback(self) -> Feedback:
        """How the client is doing."""
        now = self._scorer.snapshot()
        return Feedback(
            now.frames_answered,
            _rounded(now.recent["detection_error_px"].p50),
            _rounded(now.recent["latency_ms"].p50),
            self._scorer.size,
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
