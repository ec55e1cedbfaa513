// What the server measured, as the feed told it: every answer of every client.

import { heldError, longestGap } from "./held.js";

export const SECONDS = 60;

const HELD_OF = 120; // answers, as the medians of the feed
const MOST_KEPT = 200_000; // nearly two hours of one client at 30 fps
const FIGURES = ["frame", "detection_error_px", "tracking_error_px", "latency_ms", "x", "y", "at"]; // in the feed's order
const COLUMNS = ["client", "transport", ...FIGURES];

/** A minute of each client for the plots, and the answers themselves for whoever wants the file. */
export class Measured {
  #histories = new Map();
  #answers = [];
  now = null; // when the last line came, in seconds

  /** Take the rows of a line of the feed, read at `now`, in seconds. */
  add(rows, now) {
    this.now = now;
    for (const row of rows.filter(({ passive }) => !passive)) {
      if (!this.#histories.has(row.client)) this.#histories.set(row.client, []);
      this.#histories.get(row.client).push({ ...row, at: now, answers: row.answers.map(named) });
      for (const answer of row.answers) this.#answers.push([row.client, row.transport, ...answer]);
    }
    for (const [client, points] of this.#histories) {
      while (points.length && points[0].at < now - SECONDS) points.shift();
      if (!points.length) this.#histories.delete(client);
    }
    if (this.#answers.length > 1.1 * MOST_KEPT) this.#answers.splice(0, this.#answers.length - MOST_KEPT);
  }

  /** The last minute: pairs of a client's number and the rows about it, oldest first. */
  get histories() {
    return [...this.#histories];
  }

  /** What a controller has of a client's answers: held error in px, of the last ones, and the minute's longest gap. */
  controlled(client, scene) {
    const points = this.#histories.get(client) ?? [];
    const answers = points.flatMap((point) => point.answers);
    const last = points.findLast((point) => point.answers.length);
    return {
      held_error_px: scene && heldError(scene, answers.slice(-HELD_OF)),
      longest_gap_ms: last ? longestGap(answers, this.now - last.at) : null,
    };
  }

  /** Let the browser save all answers as a table. */
  download() {
    const lines = [COLUMNS, ...this.#answers].map((cells) => cells.map((cell) => cell ?? "").join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n"), "\n"], { type: "text/csv" }));
    link.download = "ballstream.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  }
}

function named(answer) {
  return Object.fromEntries(FIGURES.map((name, i) => [name, answer[i]]));
}
