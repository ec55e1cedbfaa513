"""What is expected of a program of another make that plays, answers, and is scored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "peers" / "page"
"""A page that plays in whichever of the players beside it is wanted."""

Record = Callable[..., None]
"""Takes program, version, transport, and the session of the server's JSON; none if not scored."""

SECONDS = 10
"""For which a program plays that comes into the table of docs/peers.md; others play for less."""

_SHARE = 0.8


def is_scored(session: dict[str, Any], seen: dict[str, Any], seconds: float = SECONDS) -> None:
    """Check a session of the server's JSON against what its client saw: `frames` and `feedback`."""
    sent = session["frames_sent"]
    assert session["ended"]["failed"] is False, session["ended"]
    assert session["channel"] is True
    assert session["rejected"] == 0
    assert sent >= 15 * seconds
    assert seen["frames"] >= _SHARE * sent
    assert session["frames_answered"] + session["unnumbered"] >= _SHARE * session["frames_due"]
    assert seen["feedback"] >= seconds
