// Finds the blue ball in a picture, to a fraction of a pixel.

const BLUE = 100;
const MARGIN = 6;
const REACH = 40;
const STEP = 4;

/** Looks for the ball near where it was before, and everywhere if it is not there. */
export class Detector {
  #last = null;

  /**
   * The ball's centre in pixels, (0, 0) being the centre of the top left pixel, or null.
   * `read(left, top, width, height)` gives a part of the picture as `ImageData`.
   */
  find(read, width, height) {
    const picture = { left: 0, top: 0, right: width, bottom: height };
    const near = this.#last && grown(this.#last, REACH, picture);
    let spot = near && search(read, near);
    if (!spot || isCut(spot, near, picture)) spot = search(read, picture);
    this.#last = spot;
    return spot && centroid(read, grown(spot, MARGIN, picture));
  }
}

function blueness(data, i) {
  return data[i + 2] - (data[i] + data[i + 1]) / 2;
}

/** The bounds of what is blue in a part of the picture, to `STEP` pixels, or null. */
function search(read, area) {
  const { data, width, height } = read(area.left, area.top, area.right - area.left, area.bottom - area.top);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let y = 0; y < height; y += STEP) {
    for (let x = 0; x < width; x += STEP) {
      if (blueness(data, 4 * (y * width + x)) < BLUE) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < left) return null;
  return {
    left: area.left + left - STEP,
    top: area.top + top - STEP,
    right: area.left + right + STEP,
    bottom: area.top + bottom + STEP,
  };
}

/** Whether there may be more of a spot beyond the area in which it was found. */
function isCut(spot, area, picture) {
  return (
    (spot.left < area.left && area.left > picture.left) ||
    (spot.top < area.top && area.top > picture.top) ||
    (spot.right >= area.right && area.right < picture.right) ||
    (spot.bottom >= area.bottom && area.bottom < picture.bottom)
  );
}

/** The centroid of all blueness in an area: no threshold, which would shift it at the edges. */
function centroid(read, area) {
  const { data, width, height } = read(area.left, area.top, area.right - area.left, area.bottom - area.top);
  let [mass, x, y] = [0, 0, 0];
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i += 4) {
      const weight = blueness(data, i);
      mass += weight;
      x += weight * column;
      y += weight * row;
    }
  }
  return mass > 0 ? { x: area.left + x / mass, y: area.top + y / mass } : null;
}

function grown(area, by, limits) {
  return {
    left: Math.max(area.left - by, limits.left),
    top: Math.max(area.top - by, limits.top),
    right: Math.min(area.right + by, limits.right),
    bottom: Math.min(area.bottom + by, limits.bottom),
  };
}
