// Error and latency of the last minute, a line for each client.

/* global Plotly */

const SECONDS = 60;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const CONFIG = { staticPlot: true, responsive: true };

/** Moving plots in two elements. */
export class Plots {
  #histories = new Map();
  #error;
  #latency;

  constructor(error, latency) {
    this.#error = error;
    this.#latency = latency;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Take the rows of the feed; `now` in seconds. */
  add(rows, now) {
    for (const row of rows.filter(({ passive }) => !passive)) {
      if (!this.#histories.has(row.client)) this.#histories.set(row.client, []);
      this.#histories.get(row.client).push({ ...row, at: now });
    }
    for (const [client, points] of this.#histories) {
      while (points.length && points[0].at < now - SECONDS) points.shift();
      if (!points.length) this.#histories.delete(client);
    }
    this.now = now;
  }

  draw() {
    const histories = [...this.#histories];
    const detection = histories.map((each) => this.#line(each, "now_detection_error_px", "solid"));
    const tracking = histories.map((each) => ({
      ...this.#line(each, "now_tracking_error_px", "dot"),
      showlegend: false,
    }));
    const latency = histories.map((each) => this.#line(each, "now_latency_ms", "solid"));
    Plotly.react(this.#error, [...detection, ...tracking], layout("px", "log"), CONFIG);
    Plotly.react(this.#latency, latency, layout("ms", "linear"), CONFIG);
  }

  #line([client, points], figure, dash) {
    return {
      name: `client ${client}`,
      x: points.map(({ at }) => at - this.now),
      y: points.map((point) => point[figure]),
      mode: "lines",
      line: { color: COLOURS[client % COLOURS.length], width: 2, dash },
    };
  }
}

function layout(unit, type) {
  const style = getComputedStyle(document.documentElement);
  const [text, line] = ["--quiet", "--line"].map((name) => style.getPropertyValue(name).trim());
  const axis = { gridcolor: line, linecolor: line, zeroline: false, color: text };
  return {
    margin: { l: 52, r: 12, t: 12, b: 40 },
    font: { family: "system-ui, sans-serif", size: 12, color: text },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    showlegend: true,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    xaxis: { ...axis, range: [-SECONDS, 0], title: { text: "s", standoff: 4 } },
    yaxis: {
      ...axis,
      type,
      title: { text: unit, standoff: 4 },
      ...(type === "log" ? { dtick: 1, exponentformat: "none" } : { rangemode: "tozero" }),
    },
  };
}
