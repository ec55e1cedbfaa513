"""How offer and answer get across; nothing here knows aiortc."""
