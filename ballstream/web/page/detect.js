// The detector that comes with the page: finds the blue ball, to a fraction of a pixel.

const BLUE = 184; // half way from neutral U (128) to that of the ball (240)
const MARGIN = 4; // chroma samples that are weighed around the ball, where its blurred edge lies

/**
 * The ball's centre in pixels, (0, 0) being the centre of the top left pixel, or null.
 * @param {import("./picture.js").Picture} picture
 * @returns {{x: number, y: number}|null}
 */
export function detect({ width, field, u }) {
  const [columns, rows] = [(width + 1) >> 1, field >> 1];
  const spot = bounds(u, columns, rows);
  return spot && centroid(u, columns, {
    left: Math.max(spot.left - MARGIN, 0),
    top: Math.max(spot.top - MARGIN, 0),
    right: Math.min(spot.right + MARGIN, columns - 1),
    bottom: Math.min(spot.bottom + MARGIN, rows - 1),
  });
}

/** The bounds of what is blue, in chroma samples, or null. */
function bounds(u, columns, rows) {
  let [left, top, right, bottom] = [columns, -1, -1, -1];
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      if (u[i] <= BLUE) continue;
      if (top < 0) top = y;
      bottom = y;
      if (x < left) left = x;
      if (x > right) right = x;
    }
  }
  return top < 0 ? null : { left, top, right, bottom };
}

/** The centroid of all blueness in an area: no threshold, which would shift it at the edges. */
function centroid(u, columns, { left, top, right, bottom }) {
  let [mass, x, y] = [0, 0, 0];
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const weight = u[row * columns + column] - 128;
      mass += weight;
      x += weight * column;
      y += weight * row;
    }
  }
  // A chroma sample lies in the middle of its two by two pixels.
  return mass > 0 ? { x: (2 * x) / mass + 0.5, y: (2 * y) / mass + 0.5 } : null;
}
