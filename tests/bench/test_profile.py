import pytest

from ballstream import trace
from ballstream.bench.profile import shares


def test_the_parts_add_up_to_the_loop() -> None:
    spent = [0.001, 0.002, 0.001, 0.0005, 0.0007, 0.0003, 0.0005]
    instants = {trace.STAGES[0]: 5.0}
    for stage, before, seconds in zip(trace.STAGES[1:], trace.STAGES, spent, strict=False):
        instants[stage] = instants[before] + seconds
    *parts, whole = shares([instants] * 3, {"draw": 0.9, "encode": 1.5})
    assert [part.work for part in parts] == [
        "draw", "encode", "send and receive", "decode", "hand over", "detect", "return",
    ]  # fmt: skip
    assert [part.p50 for part in parts] == pytest.approx([1e3 * each for each in spent])
    assert [part.bare for part in parts] == [0.9, 1.5, None, None, None, None, None]
    assert whole.work == "the loop"
    assert (whole.p50, whole.p95, whole.bare) == pytest.approx((6.0, 6.0, 2.4))
