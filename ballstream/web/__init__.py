"""Everything that touches HTTP: WHEP at both ends, the page, the metrics."""
