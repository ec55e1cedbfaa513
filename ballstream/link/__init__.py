"""How it travels: everything that touches aiortc."""
