"""A selector that wakes when it should."""

import select
import selectors

_Events = list[tuple[selectors.SelectorKey, int]]


class PreciseSelector(selectors.EpollSelector):
    """Epoll, whose time-outs are not rounded up to a millisecond.

    `epoll_wait` takes whole milliseconds; `select` takes microseconds, and can wait for the
    descriptor of an epoll, which is readable when one of its own is ready (epoll(7)).
    """

    def select(self, timeout: float | None = None) -> _Events:
        """Wait for events, at most for some seconds; None is for ever."""
        # select(2) takes only small descriptors; a loop opens its own when hardly any are in use.
        if timeout is None or timeout <= 0 or self.fileno() >= _MOST_DESCRIPTORS:
            return super().select(timeout)
        select.select([self], [], [], timeout)
        return super().select(0)


_MOST_DESCRIPTORS = 1024
"""`FD_SETSIZE` of the C libraries of Linux."""
