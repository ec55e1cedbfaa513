// Where the ball truly is: the server's closed form, with the server's figures.

/** The ball's centre in the frame with a number. */
export function truth({ motion, fps }, number) {
  const seconds = number / fps;
  return { x: folded(motion.horizontal, seconds), y: folded(motion.vertical, seconds) };
}

/** Straight travel, folded at the walls. */
function folded({ low, high, start, velocity }, seconds) {
  const span = high - low;
  if (span === 0) return low;
  const path = (start - low + velocity * seconds) % (2 * span);
  const unfolded = path < 0 ? path + 2 * span : path;
  return low + (unfolded <= span ? unfolded : 2 * span - unfolded);
}
