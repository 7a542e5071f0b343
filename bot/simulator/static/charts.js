/** The `data_visualization` block: line, area, bar and pie charts, drawn small and plain. */

import { h, svg } from "./dom.js";

const WIDTH = 560;
const HEIGHT = 240;
const EDGE = { left: 46, right: 12, top: 12, bottom: 34 };
const INNER = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };

/** Build a chart with its title, legend and a table for screen readers. */
export function chart(block) {
  const given = block.chart ?? {};
  const drawing = given.type === "pie" ? pie(given) : plot(given);
  const names = given.type === "pie" ? (given.segments ?? []).map((s) => s.label) : (given.series ?? []).map((s) => s.name);
  const legend = names.map((name, index) => h("span", { class: "legend-item" }, h("i", { class: `legend-dot paint-${index % 6}` }), name));
  return h("figure", { class: "chart" }, h("figcaption", { text: block.title ?? "" }), drawing, h("div", { class: "legend" }, legend), spoken(given));
}

function frame(label, ...children) {
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart-svg", role: "img", "aria-label": label }, ...children);
}

/** Return up to five round numbers that cover the range. */
function ticks(least, most) {
  const span = most - least || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => span / s <= 5) ?? span;
  const first = Math.floor(least / step) * step;
  return Array.from({ length: Math.ceil((most - first) / step) + 1 }, (_, i) => Number((first + i * step).toPrecision(12)));
}

function plot(given) {
  const series = given.series ?? [];
  const categories = given.axis_config?.categories ?? [];
  const values = series.flatMap((s) => s.data.map((p) => p.value));
  const marks = ticks(Math.min(0, ...values), Math.max(...values, 0.0001));
  const [least, most] = [marks[0], marks[marks.length - 1]];
  const band = INNER.width / Math.max(1, categories.length);
  const x = (label) => EDGE.left + band * (categories.indexOf(label) + 0.5);
  const y = (value) => EDGE.top + INNER.height * (1 - (value - least) / (most - least || 1));
  const grid = marks.map((mark) => [
    svg("line", { class: "grid", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(mark), y2: y(mark) }),
    svg("text", { class: "tick", x: EDGE.left - 6, y: y(mark) + 3.5, "text-anchor": "end", text: String(mark) }),
  ]);
  const every = Math.ceil(categories.length / 8);
  const names = categories
    .filter((_, index) => index % every === 0)
    .map((label) => svg("text", { class: "tick", x: x(label), y: HEIGHT - 16, "text-anchor": "middle", text: label }));
  const shapes = series.map((one, index) => (given.type === "bar" ? bars(one, index, series.length, { x, y, band, least }) : curve(one, index, { x, y, least }, given.type === "area")));
  const axis = given.axis_config?.x_label ? svg("text", { class: "tick", x: WIDTH / 2, y: HEIGHT - 2, "text-anchor": "middle", text: given.axis_config.x_label }) : null;
  return frame(`${given.type} chart`, grid, names, shapes, axis);
}

function bars(one, index, count, { x, y, band, least }) {
  const width = (band * 0.7) / count;
  return one.data.map((point) => {
    const [top, foot] = [y(Math.max(point.value, 0)), y(Math.max(least, Math.min(point.value, 0)))];
    const box = { x: x(point.label) - band * 0.35 + width * index, y: top, width: Math.max(1, width - 1), height: Math.max(1, foot - top), rx: 2 };
    return svg("rect", { class: `fill paint-${index % 6}`, ...box }, svg("title", { text: `${one.name}, ${point.label}: ${point.value}` }));
  });
}

function curve(one, index, { x, y, least }, filled) {
  const points = one.data.map((p) => `${x(p.label)},${y(p.value)}`);
  const dots = one.data.map((p) => svg("circle", { class: `fill paint-${index % 6}`, cx: x(p.label), cy: y(p.value), r: 3 }, svg("title", { text: `${one.name}, ${p.label}: ${p.value}` })));
  const [first, last] = [one.data[0], one.data[one.data.length - 1]];
  const area = filled && first ? svg("polygon", { class: `area paint-${index % 6}`, points: [`${x(first.label)},${y(least)}`, ...points, `${x(last.label)},${y(least)}`].join(" ") }) : null;
  return [area, svg("polyline", { class: `stroke paint-${index % 6}`, points: points.join(" ") }), dots].filter(Boolean);
}

function pie(given) {
  const segments = given.segments ?? [];
  const total = segments.reduce((sum, s) => sum + Math.max(0, s.value), 0) || 1;
  const [cx, cy, r] = [WIDTH / 2, HEIGHT / 2, HEIGHT / 2 - 14];
  let turned = -Math.PI / 2;
  const slices = segments.map((segment, index) => {
    const angle = Math.min((Math.max(0, segment.value) / total) * 2 * Math.PI, 2 * Math.PI - 1e-4);
    const at = (a) => `${cx + r * Math.cos(a)},${cy + r * Math.sin(a)}`;
    const d = `M${cx},${cy} L${at(turned)} A${r},${r} 0 ${angle > Math.PI ? 1 : 0} 1 ${at(turned + angle)} Z`;
    turned += angle;
    return svg("path", { class: `fill slice paint-${index % 6}`, d }, svg("title", { text: `${segment.label}: ${segment.value}` }));
  });
  return frame("pie chart", slices);
}

function spoken(given) {
  const rows = given.type === "pie" ? (given.segments ?? []).map((s) => ["", s]) : (given.series ?? []).flatMap((s) => s.data.map((p) => [s.name, p]));
  return h("table", { class: "sr-only" }, rows.map(([name, p]) => h("tr", {}, h("td", { text: name }), h("td", { text: p.label }), h("td", { text: String(p.value) }))));
}
