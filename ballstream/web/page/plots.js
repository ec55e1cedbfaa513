// Error and latency of the last minute, a line for each client.

/* global Plotly */

import { SECONDS } from "./measured.js";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const CONFIG = { staticPlot: true, responsive: true };
const MOST_BARS = 60;

/** Moving plots of what was measured, in the page's elements `error-plot` and so on. */
export class Plots {
  #measured;
  #element;
  #turns = [() => this.#drawErrors(), () => this.#drawLatencies(), () => this.#drawHistogram()];

  constructor(measured, element) {
    this.#measured = measured;
    this.#element = element;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const _ of this.#turns) this.draw();
    });
  }

  /** Draw the plot whose turn it is: all at once would hold up the page for too long. */
  draw() {
    if (this.#measured.now === null) return;
    const turn = this.#turns.shift();
    this.#turns.push(turn);
    turn();
  }

  #drawErrors() {
    const tracking = this.#lines("now_tracking_error_px", "dot").map((each) => ({ ...each, showlegend: false }));
    const detection = this.#lines("now_detection_error_px", "solid");
    this.#plot("error-plot", [...detection, ...tracking], overTime("px", "log"));
  }

  #drawLatencies() {
    this.#plot("latency-plot", this.#lines("now_latency_ms", "solid"), overTime("ms", "linear"));
  }

  #drawHistogram() {
    this.#plot("histogram-plot", bars(this.#measured.histories), {
      barmode: "overlay",
      bargap: 0,
      xaxis: { title: { text: "ms", standoff: 4 }, rangemode: "tozero" },
      yaxis: { title: { text: "answers", standoff: 4 }, rangemode: "tozero" },
    });
  }

  #lines(figure, dash) {
    const { histories, now } = this.#measured;
    return histories.map((each) => line(each, now, figure, dash));
  }

  #plot(name, traces, layout) {
    Plotly.react(this.#element[name], traces, styled(layout), CONFIG);
  }
}

function colour(client) {
  return COLOURS[client % COLOURS.length];
}

function line([client, points], now, figure, dash) {
  return {
    name: `client ${client}`,
    x: points.map(({ at }) => at - now),
    y: points.map((point) => point[figure]),
    mode: "lines",
    line: { color: colour(client), width: 2, dash },
  };
}

/** How often each latency came about, by the whole ms, or coarser where they lie far apart. */
function bars(histories) {
  const latencies = histories.map(([client, points]) => [
    client,
    points.flatMap(({ answers }) => answers.map(({ latency_ms }) => latency_ms).filter((value) => value !== null)),
  ]);
  const longest = latencies.reduce((most, [, values]) => values.reduce((a, b) => Math.max(a, b), most), 0);
  const width = Math.ceil((longest + 1) / MOST_BARS);
  return latencies.map(([client, values]) => {
    const counts = Array(Math.floor(longest / width) + 1).fill(0);
    for (const value of values) counts[Math.floor(value / width)]++;
    return {
      name: `client ${client}`,
      type: "bar",
      x: counts.map((_, i) => (i + 0.5) * width),
      y: counts,
      width,
      opacity: latencies.length > 1 ? 0.6 : 1,
      marker: { color: colour(client) },
    };
  });
}

function overTime(unit, type) {
  return {
    xaxis: { range: [-SECONDS, 0], title: { text: "s", standoff: 4 } },
    yaxis: {
      type,
      title: { text: unit, standoff: 4 },
      ...(type === "log" ? { dtick: 1, exponentformat: "none" } : { rangemode: "tozero" }),
    },
  };
}

/** A layout in the page's colours. */
function styled({ xaxis, yaxis, ...layout }) {
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
    ...layout,
    xaxis: { ...axis, ...xaxis },
    yaxis: { ...axis, ...yaxis },
  };
}
