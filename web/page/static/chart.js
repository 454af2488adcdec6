// The home screen's chart: counts on the left axis, times in milliseconds on the right one.
const place = document.querySelector("[data-chart]");
const words = place.dataset.words.split("|");
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let plot = null;
let columns = null;
let east = [];

const took = (ms) => (ms >= 60000 ? `${+(ms / 60000).toPrecision(2)} min` : ms >= 1000 ? `${+(ms / 1000).toPrecision(2)} s` : `${+ms.toPrecision(2)} ms`);
const pad = (number) => String(number).padStart(2, "0");
// The machine's own time of day, as everywhere on the page.
const clock = (seconds) => {
  const span = columns[0].findLastIndex((begin) => begin <= seconds);
  const at = new Date((seconds + 60 * (east[Math.max(0, span)] || 0)) * 1000);
  return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
};

function draw() {
  plot?.destroy();
  const mute = style("--mute");
  const line = style("--line");
  const font = '11.5px system-ui, -apple-system, "Segoe UI", sans-serif';
  const axis = { stroke: mute, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  const serie = (index, color, more = {}) => ({ label: words[index], stroke: style(color), width: 1.6, points: { show: false }, ...more });
  const times = { scale: "ms", width: 1.2, spanGaps: true, value: (_, value) => (value == null ? "–" : took(value)) };
  plot = new uPlot({
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(4, high * 1.15)] }, ms: { distr: 3, range: (_, low, high) => [Math.min(1, low || 1), Math.max(10, (high || 1) * 3)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, values: (_, splits) => splits.map(clock), space: 70 },
      { ...axis, size: 44, values: (_, splits) => splits.map((one) => (Number.isInteger(one) ? one.toLocaleString("en") : "")) },
      { ...axis, scale: "ms", side: 1, grid: { show: false }, size: 56, values: (_, splits) => splits.map((one) => (one != null && Number.isInteger(Math.log10(one)) ? took(one) : "")) },
    ],
    series: [
      {},
      serie(0, "--accent"),
      serie(1, "--good"),
      serie(2, "--bad"),
      serie(3, "--mute", { ...times, dash: [1, 4] }),
      serie(4, "--mute", { ...times, dash: [6, 4] }),
    ],
    hooks: { setCursor: [tell] },
  }, columns, place);
}

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
place.append(tip);

function tell(chart) {
  const at = chart.cursor.idx;
  tip.hidden = at == null;
  if (at == null) return;
  const lines = chart.series.slice(1).map((serie, index) => {
    const value = columns[index + 1][at];
    return `${serie.label} ${value == null ? "–" : index < 3 ? value.toLocaleString("en") : took(value)}`;
  });
  tip.textContent = [clock(columns[0][at]), ...lines].join("\n");
  tip.style.left = `${Math.min(chart.cursor.left + 60, place.clientWidth - tip.offsetWidth - 4)}px`;
}

let asked = 0;
async function load() {
  if (document.hidden || Date.now() - asked < 4000) return;
  asked = Date.now();
  const answer = await fetch(place.dataset.chart, { headers: { accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  ({ columns, east } = await answer.json());
  if (plot) plot.setData(columns);
  else draw();
}

new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
addEventListener("theme", () => columns && draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => columns && draw());
document.body.addEventListener("live:tick", load);
document.addEventListener("visibilitychange", load);
load();
