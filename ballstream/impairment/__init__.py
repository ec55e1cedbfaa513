"""An emulated bad network between the two ends: seeded, at the sockets, without root.

    plan = impairment.parse_plan("delay=40ms,loss=2%")
    config = ballstream.ServerConfig(impairment=impairment.Impairment(plan, plan, seed=1))
    with asyncio.Runner(loop_factory=impairment.loop) as runner:
        runner.run(serve(config))

Server, Client and `connect` emulate by themselves; any other program does within `emulate`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conditions import Impairment as Impairment
    from .emulation import Direction as Direction
    from .grammar import parse_plan as parse_plan
    from .sockets import emulate as emulate
    from .sockets import loop as loop

_PLACES = {
    "Direction": "emulation",
    "Impairment": "conditions",
    "emulate": "sockets",
    "loop": "sockets",
    "parse_plan": "grammar",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: who only reads a plan needs no asyncio."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
