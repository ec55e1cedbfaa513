"""A limit on how often a peer may say something; time comes in as an argument."""


class RateLimit:
    """A token bucket: `per_second` on average, at most `burst` at once."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def allows(self, at: float, amount: int = 1) -> bool:
        """Whether so much more is within the limit at an instant in seconds; if not, none is."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (at - self._at) * self._per_second)
        self._at = at
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True
