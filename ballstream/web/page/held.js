// What a controller has of a client's answers: how far off is the newest one, and how long was there none.

import { truth } from "./truth.js";

const STEP_S = 0.002;

/**
 * How far the ball is from the newest answer, in px: the median over time, between the arrivals of
 * the first and the last of `answers`; null where there are no two.
 * @param {object} scene as the feed describes it
 * @param {{frame: number|null, x: number|null, y: number|null, at: number}[]} answers in the order in which they
 *   came, `at` in seconds of the scene's time
 */
export function heldError(scene, answers) {
  const errors = [];
  let held = null;
  for (const { frame, x, y, at } of answers) {
    if (x === null || (held !== null && frame !== null && frame < held.frame)) continue;
    const since = held === null ? at : held.at;
    for (let step = Math.ceil(since / STEP_S); step * STEP_S < at; step++) {
      const ball = truth(scene, step * STEP_S * scene.fps);
      errors.push(Math.hypot(ball.x - held.x, ball.y - held.y));
    }
    held = { frame: frame ?? held?.frame ?? -1, x, y, at };
  }
  return errors.length ? errors.sort((a, b) => a - b)[errors.length >> 1] : null;
}

/** The longest time between two answers, and from the last one on, in ms; null where none came. */
export function longestGap(answers, sinceLast) {
  if (!answers.length) return null;
  return 1000 * answers.reduce((most, { at }, i) => Math.max(most, i ? at - answers[i - 1].at : 0), sinceLast);
}
