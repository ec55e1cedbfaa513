import numpy as np
import pytest

from ballstream.link.scaled import as_drawn, numbered
from ballstream.protocol import stamp
from ballstream.protocol.frames import Image, ImageCodec
from ballstream.protocol.planes import Planes, i420_shape, planes_of_i420


def picture(width: int, height: int) -> Planes:
    i420 = np.full(i420_shape(width, height), 128, np.uint8)
    return planes_of_i420(i420)


def test_one_of_the_size_that_was_drawn_stays_as_it_is() -> None:
    as_it_came = picture(320, 240)
    assert numbered(as_it_came, (320, 240)) is as_it_came


def test_one_of_another_size_has_its_number_beside_it() -> None:
    drawn, came = picture(320, 240), picture(640, 480)
    stamp.write(drawn.y, 4711)
    came.y[:] = drawn.y.repeat(2, axis=0).repeat(2, axis=1)
    seen = numbered(came, (320, 240))
    assert isinstance(seen, Image)
    assert (seen.frame, seen.width, seen.height, seen.codec) == (4711, 640, 480, ImageCodec.RAW)
    assert seen.payload == came.y.tobytes() + came.u.tobytes() + came.v.tobytes()


def test_one_whose_number_cannot_be_read_is_none() -> None:
    assert numbered(picture(640, 480), (320, 240)) is None


@pytest.mark.parametrize(
    ("place", "size", "there"),
    [
        ((-0.5, -0.5), (320, 240), (-0.5, -0.5)),
        ((319.5, 239.5), (320, 240), (639.5, 479.5)),
        ((0.0, 0.0), (320, 240), (0.5, 0.5)),
        ((0.5, 0.5), (1280, 960), (0.0, 0.0)),
        ((7.0, 9.0), (640, 480), (7.0, 9.0)),
    ],
)
def test_a_place_in_pixels_of_what_was_drawn(
    place: tuple[float, float], size: tuple[int, int], there: tuple[float, float]
) -> None:
    assert as_drawn(place, size, (640, 480)) == pytest.approx(there)
