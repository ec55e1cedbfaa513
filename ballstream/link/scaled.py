"""Pictures that came in another size than they were drawn in, as media servers may make them."""

from ..protocol import stamp
from ..protocol.frames import Image, ImageCodec
from ..protocol.planes import Planes

Size = tuple[int, int]


def numbered(picture: Planes, drawn: Size) -> Planes | Image | None:
    """The picture, with its number beside it where the stamp has not the size that others read.

    None where the number cannot be read.
    """
    size = picture.width, picture.height
    if size == drawn:
        return picture
    number = stamp.read_scaled(picture.y, drawn)
    if number is None:
        return None
    payload = b"".join(plane.tobytes() for plane in picture)
    return Image(number, *size, ImageCodec.RAW, payload)


def as_drawn(place: tuple[float, float], size: Size, drawn: Size) -> tuple[float, float]:
    """A place in a picture of a size, in pixels of the one that was drawn.

    Pixels are areas, and their centres have the whole numbers (OpenCV's convention).
    """
    x, y = ((at + 0.5) * was / now - 0.5 for at, was, now in zip(place, drawn, size, strict=True))
    return x, y
