"""What the author of a detector puts into a pytest: exact figures, in a second, no network."""

import ballstream


def brightest_blue(picture: ballstream.Picture) -> tuple[float, float] | None:
    rows, columns = (picture.planes.u > 180).nonzero()
    if not rows.size:
        return None
    return float(2 * columns.mean() + 0.5), float(2 * rows.mean() + 0.5)


def test_the_detector_is_exact_at_a_low_bitrate() -> None:
    score = ballstream.evaluate(brightest_blue, frames=300, bitrate=300_000)
    assert score.frames_answered == 300
    assert score.not_found == 0
    assert score.detection_error_px.p95 is not None
    assert score.detection_error_px.p95 < 0.5
