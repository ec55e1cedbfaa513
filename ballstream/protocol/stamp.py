"""The frame's number, written into the picture itself and read back after the codec.

Layout, for a reader in any language:

* The stamp lies in the bottom 16 rows (`ROWS`) of the *luma* plane, from the left edge; chroma
  stays neutral there, and the ball never enters those rows.
* It is 2 rows of 20 square cells, each 8 pixels wide and high: 160 pixels by 16. Eight is the
  grid of the codecs' transforms, and two by two cells are a macroblock.
* A cell is one bit: luma 16 is 0, luma 235 is 1. Read from left to right, the upper row first,
  the 40 bits are, most significant first, a 24-bit frame number and a 16-bit checksum.
* The checksum is the CRC of the number's three bytes (big-endian): polynomial 0x1021, initial
  value 0xFFFF, not reflected, no final xor (known as CRC-16/CCITT-FALSE or CRC-16/IBM-3740).
* To read: average the middle 6 by 6 pixels of each cell. At most 95 is a 0, at least 156 is a 1;
  anything between means that there is no stamp to be trusted.

A picture without a stamp is all dark or undecided there: forty zeros carry a wrong checksum, and
so do forty ones. Of pictures in which all forty cells are decided at random, one in 2^16 reads as
a number; up to three wrong bits never do (the code's distance is four).

The number wraps at 2^24: after 155 hours at 30 fps, 38 hours at 120.
"""

from binascii import crc_hqx
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .planes import Plane

ROWS = 16
MODULUS = 1 << 24
WIDTH = 160

_CELL = 8
_LEAST_CELL = 3
_CELLS_A_ROW = 20
_BITS = 40
_DARK, _BRIGHT = 16, 235
_ZERO_AT_MOST, _ONE_AT_LEAST = 95, 156


def write(luma: Plane, number: int) -> None:
    """Draw `number` (taken modulo 2^24) into the bottom rows of a luma plane, in place."""
    word = _word(number % MODULUS)
    bits = np.array([word >> shift & 1 for shift in range(_BITS - 1, -1, -1)], np.uint8)
    levels = np.where(bits, _BRIGHT, _DARK).astype(np.uint8).reshape(-1, _CELLS_A_ROW)
    luma[-ROWS:, :WIDTH] = levels.repeat(_CELL, axis=0).repeat(_CELL, axis=1)


def read(luma: Plane) -> int | None:
    """Read the number from a luma plane; None where there is no stamp or a damaged one."""
    if luma.shape[0] < ROWS or luma.shape[1] < WIDTH:
        return None
    cells = luma[-ROWS:, :WIDTH].reshape(ROWS // _CELL, _CELL, _CELLS_A_ROW, _CELL)
    return _decided(cells[:, 1:-1, :, 1:-1].mean(axis=(1, 3)).ravel())


def read_scaled(luma: Plane, drawn: tuple[int, int]) -> int | None:
    """The same where the picture was drawn in another size, `(width, height)`, and scaled since.

    None also where a cell came out smaller than three pixels.
    """
    height, width = luma.shape
    across, down = width / drawn[0], height / drawn[1]
    if min(across, down) * _CELL < _LEAST_CELL or drawn[0] < WIDTH or drawn[1] < ROWS:
        return None
    top = height - ROWS * down
    columns = [_middle(0.0, across, each) for each in range(_CELLS_A_ROW)]
    rows = [_middle(top, down, each) for each in range(ROWS // _CELL)]
    means = [
        luma[above:below, left:right].mean() for above, below in rows for left, right in columns
    ]
    return _decided(np.array(means))


def _middle(start: float, scale: float, cell: int) -> tuple[int, int]:
    """From and to which pixel the middle of a cell reaches, at least one."""
    first = round(start + scale * (_CELL * cell + 1.5))
    return first, max(round(start + scale * (_CELL * cell + 6.5)), first + 1)


def _decided(means: NDArray[np.floating[Any]]) -> int | None:
    """The number that forty cells say, by their brightness."""
    ones = means >= _ONE_AT_LEAST
    if not (ones | (means <= _ZERO_AT_MOST)).all():
        return None
    word = int.from_bytes(np.packbits(ones).tobytes(), "big")
    number = word >> 16
    return number if word == _word(number) else None


def _word(number: int) -> int:
    return number << 16 | crc_hqx(number.to_bytes(3, "big"), 0xFFFF)
