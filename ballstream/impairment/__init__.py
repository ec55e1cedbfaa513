"""An emulated bad network between the two ends: seeded, at the sockets, without root."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sockets import emulate as emulate
    from .sockets import loop as loop


def __getattr__(name: str) -> Any:
    """Load the sockets when they are asked for: who only reads a plan needs no asyncio."""
    if name not in ("emulate", "loop"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import sockets

    return getattr(sockets, name)
