from pathlib import Path

import numpy as np
import pytest

from ballstream.bench import known
from ballstream.protocol.planes import i420_shape
from ballstream.vision.picture import Picture

EMPTY = Picture(np.zeros(i420_shape(160, 120), np.uint8))


class Clock:
    """Moves on by a millisecond with every look at it, and by as much as anybody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("make", "taken"), [(known.slow, 21.0), (known.prompt, 4.0)])
def test_it_takes_its_time_and_records_what_it_was(
    make: object, taken: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(known.VARIABLE, str(tmp_path / "taken"))
    monkeypatch.setattr(known, "time", Clock())
    detector = make()  # type: ignore[operator]
    assert detector(EMPTY) is None
    detector(EMPTY)
    lines = (tmp_path / "taken").read_text().splitlines()
    assert [float(line) for line in lines] == pytest.approx([taken, taken], abs=1.5)
