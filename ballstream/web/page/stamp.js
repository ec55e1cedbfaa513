// The frame's number, read from the picture's bottom rows; the layout stands in protocol/stamp.py.

export const ROWS = 16;
export const WIDTH = 160;

const CELL = 8;
const CELLS_A_ROW = 20;
const ZERO_AT_MOST = 95;
const ONE_AT_LEAST = 156;

/**
 * The number in the bottom rows, or null where there is none.
 * @param {Uint8Array|Uint8ClampedArray} luma the bottom 16 rows
 * @param {number} stride of which each has so many samples
 * @returns {number|null}
 */
export function readStamp(luma, stride) {
  if (stride < WIDTH || luma.length < ROWS * stride) return null;
  const bits = [];
  for (let row = 0; row < ROWS / CELL; row++) {
    for (let column = 0; column < CELLS_A_ROW; column++) {
      const level = cellMean(luma, stride, column * CELL, row * CELL);
      if (level > ZERO_AT_MOST && level < ONE_AT_LEAST) return null;
      bits.push(level >= ONE_AT_LEAST ? 1 : 0);
    }
  }
  const number = valueOf(bits.slice(0, 24));
  return checksum(number) === valueOf(bits.slice(24)) ? number : null;
}

/** The mean luma of a cell's middle. */
function cellMean(luma, stride, left, top) {
  let sum = 0;
  for (let y = top + 1; y < top + CELL - 1; y++) {
    for (let x = left + 1; x < left + CELL - 1; x++) sum += luma[y * stride + x];
  }
  return sum / (CELL - 2) ** 2;
}

function valueOf(bits) {
  return bits.reduce((value, bit) => value * 2 + bit, 0);
}

/** CRC-16/IBM-3740 of the number's three bytes. */
function checksum(number) {
  let crc = 0xffff;
  for (const byte of [number >> 16, number >> 8, number]) {
    crc ^= (byte & 0xff) << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
