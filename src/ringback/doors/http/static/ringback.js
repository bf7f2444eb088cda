// What the pages do beyond what HTML does: the theme, the live part of the first page, its charts.
// Everything can be read and done without.
"use strict";

(() => {
  const root = document.documentElement;
  const THEMES = ["system", "light", "dark"];
  const KEY = "ringback-theme";

  function chosen() {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // a browser that keeps nothing
    }
  }

  function choose(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // It lasts as long as the page.
    }
  }

  choose(chosen()); // before anything is painted

  function offerThemes() {
    const button = document.querySelector(".theme");
    if (!button) return;
    let theme = chosen();
    const show = () => {
      button.textContent = `Theme: ${theme}`;
    };
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      choose(theme);
      show();
      document.dispatchEvent(new Event("themed"));
    });
  }

  // A question may take as long as a callout.
  function showBusy() {
    for (const button of document.querySelectorAll("[data-busy]")) {
      button.form.addEventListener("submit", () => {
        button.textContent = button.dataset.busy;
        button.setAttribute("aria-disabled", "true");
      });
    }
  }

  // Charts are drawn from the tables that stand beside them.

  const COLOURS = {
    deliverable: "--chart-good",
    undeliverable: "--chart-bad",
    unknown: "--chart-warn",
    spent: "--chart-spent",
    saved: "--chart-saved",
  };
  const plots = new Map();

  function read(name) {
    const table = document.querySelector(`table[data-series="${name}"]`);
    const keys = [...table.querySelectorAll("[data-key]")].map((head) => head.dataset.key);
    const rows = [...table.tBodies[0].rows];
    const times = rows.map((row) => Number(row.cells[0].dataset.at));
    const columns = keys.map((_, at) => rows.map((row) => Number(row.cells[at + 1].textContent)));
    return { keys, times, columns };
  }

  // Each series stands on those before it; drawn from the tallest to the lowest.
  function stack({ times, columns }) {
    const sums = times.map(() => 0);
    const stacked = columns.map((column) => column.map((count, at) => (sums[at] += count)));
    return [times, ...stacked.reverse()];
  }

  function colour(name) {
    return getComputedStyle(root).getPropertyValue(name).trim();
  }

  // The legend tells the step that the pointer is at, and the sum where it is at none.
  function tell(name, at) {
    const legend = document.querySelector(`[data-legend="${name}"]`);
    if (!legend) return;
    const { keys, times, columns } = read(name);
    const known = at !== null && at !== undefined && times[at] !== undefined;
    legend.querySelector(".when").textContent = known ? `from ${clock(times[at])}` : "";
    for (const figure of legend.querySelectorAll("[data-key]")) {
      figure.dataset.sum ??= figure.textContent;
      figure.textContent = known ? columns[keys.indexOf(figure.dataset.key)][at] : figure.dataset.sum;
    }
  }

  function options(name, keys, step, width) {
    const axis = { stroke: colour("--muted"), font: "12px system-ui, sans-serif" };
    const rule = { stroke: colour("--line"), width: 1 };
    return {
      width,
      height: 170,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { x: true, y: false, drag: { x: false, y: false }, points: { show: false } },
      hooks: { setCursor: [(plot) => tell(name, plot.cursor.idx)] },
      legend: { show: false },
      padding: [8, 18, 0, 0],
      scales: {
        x: { range: (_, low, high) => [low - step / 2, high + step / 2] },
        y: { range: (_, __, high) => [0, Math.max(4, high * 1.08)] },
      },
      axes: [
        { ...axis, grid: { show: false }, ticks: { show: false }, values: (_, marks) => marks.map(clock), gap: 4, size: 28, space: 70 },
        { ...axis, grid: rule, ticks: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6], size: 44, gap: 6 },
      ],
      series: [
        {},
        ...[...keys].reverse().map((key) => ({
          stroke: "transparent",
          width: 0,
          fill: colour(COLOURS[key]),
          points: { show: false },
          paths: uPlot.paths.bars({ size: [0.78, 40], radius: 0.15 }),
        })),
      ],
    };
  }

  function clock(at) {
    return new Date(at * 1000).toISOString().slice(11, 16);
  }

  function draw(anew) {
    if (typeof uPlot === "undefined") return;
    for (const chart of document.querySelectorAll("[data-chart]")) {
      const name = chart.dataset.chart;
      const { keys, times, columns } = read(name);
      const step = times[1] - times[0];
      const numbers = stack({ times, columns });
      chart.classList.add("drawn");
      const known = plots.get(name);
      if (known && !anew && known.root.isConnected) {
        known.setData(numbers);
        continue;
      }
      known?.destroy();
      chart.replaceChildren();
      plots.set(name, new uPlot(options(name, keys, step, chart.clientWidth), numbers, chart));
    }
  }

  // The live part: fragments from the server, in place of what stands there.

  function keep(part) {
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const places = [...part.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const path = focused && [...part.querySelectorAll("a, summary, .scroll")].indexOf(focused);
    return () => {
      part.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? false));
      part.querySelectorAll(".scroll").forEach((box, at) => {
        if (places[at]) [box.scrollLeft, box.scrollTop] = places[at];
      });
      if (focused) part.querySelectorAll("a, summary, .scroll")[path]?.focus({ preventScroll: true });
    };
  }

  // Ages are written by the server when something happens, and count on here in between.
  function countOn(part) {
    let shown_at = performance.now();
    setInterval(() => {
      for (const age of part.querySelectorAll("[data-age]")) {
        const seconds = Math.floor(Number(age.dataset.age) + (performance.now() - shown_at) / 1000);
        age.textContent = seconds < 60 ? `${seconds}\u202fs` : `${Math.floor(seconds / 60)}\u202fmin ${seconds % 60}\u202fs`;
      }
    }, 1000);
    return () => {
      shown_at = performance.now();
    };
  }

  function follow() {
    const part = document.getElementById("live");
    if (!part || typeof EventSource === "undefined" || typeof htmx === "undefined") return;
    const state = document.getElementById("live-state");
    const pause = document.getElementById("pause");
    const restart = countOn(part);
    let source = null;
    let paused = false;

    const say = (text, on) => {
      if (state.textContent !== text) state.textContent = text;
      state.classList.toggle("on", on);
    };

    const show = (html) => {
      const restore = keep(part);
      restart();
      htmx.swap(part, html, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 0 });
      restore();
      draw(true);
    };

    const start = () => {
      source = new EventSource(part.dataset.live);
      source.addEventListener("open", () => say("Live", true));
      source.addEventListener("now", (event) => show(event.data));
      source.addEventListener("error", () => {
        const gone = source.readyState === EventSource.CLOSED;
        say(gone ? "No longer live: reload the page" : "Connecting again…", false);
      });
    };

    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      pause.textContent = paused ? "Go on" : "Pause";
      if (paused) {
        source.close();
        say("Paused", false);
      } else start();
    });
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted && !paused) start();
    });
    start();
  }

  // All times are UTC; the reader's own is a pointer's rest away.
  function tellLocalTimes() {
    document.addEventListener("pointerover", (event) => {
      const time = event.target.closest?.("time[datetime]");
      if (time) time.title = `${new Date(time.dateTime).toLocaleString()} by this computer's clock`;
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    tellLocalTimes();
    offerThemes();
    showBusy();
    draw(true);
    follow();
    document.addEventListener("themed", () => draw(true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(true));
    let waiting = 0;
    addEventListener("resize", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => draw(true));
    });
  });
})();
