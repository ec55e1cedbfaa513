"""The bottom of a terminal, drawn over again and again: text in, control sequences out; pure."""

from collections.abc import Sequence

from ..errors import printable

_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"
"""What is too long for a line is cut off, or goes on in the next."""


class Screen:
    """Remembers how many lines it has drawn, to take them away before the next."""

    def __init__(self) -> None:
        self._lines: Sequence[str] = ()

    def draw(self, lines: Sequence[str], height: int) -> str:
        """Put lines in place of the last ones; more than fit into `height` are left out."""
        away = self._away()
        most = max(height - 1, 1)  # the cursor needs a line, too
        if len(lines) > most:
            lines = [*lines[: most - 1], f"... and {len(lines) - most + 1} more"]
        self._lines = lines
        return away + self._drawn()

    def note(self, text: str) -> str:
        """Say something once, above what is drawn."""
        return f"{self._away()}{printable(text)}\n{self._drawn()}"

    def clear(self) -> str:
        """Take away what is drawn."""
        away, self._lines = self._away(), ()
        return away

    def _away(self) -> str:
        return f"\x1b[{len(self._lines)}A\r\x1b[J" if self._lines else ""

    def _drawn(self) -> str:
        lines = "".join(f"{line}\n" for line in self._lines)
        return f"{_CUT}{lines}{_WRAP}" if lines else ""
