/** Standard Markdown, as the `markdown` block holds it: the part that bots write. */

import { h, link } from "./dom.js";
import { withEmoji } from "./emoji.js";

const INLINE = /(`[^`\n]+`)|\*\*([^\n]+?)\*\*|__([^\n]+?)__|~~([^\n]+?)~~|\[([^\]\n]+)\]\(([^)\s]+)\)|(?<![\w*])\*([^*\n]+?)\*(?![\w*])|(?<!\w)_([^_\n]+?)_(?!\w)/;

/** Build the nodes of a Markdown text. */
export function markdown(text) {
  const root = h("div", { class: "markdown" });
  const rows = String(text ?? "").split("\n");
  while (rows.length) root.append(...next(rows));
  return root;
}

/** Take one block's rows from the front and build it. */
function next(rows) {
  const row = rows[0];
  if (row.startsWith("```")) return [fence(rows)];
  const one = single(row);
  if (one) {
    rows.shift();
    return one;
  }
  if (/^\s*([-*+]|\d+\.)\s+/.test(row)) return [list(rows)];
  if (row.startsWith(">")) return [h("blockquote", {}, run(rows, /^>\s?/).map((line) => h("div", {}, spans(line))))];
  if (row.startsWith("|") && /^\|[\s:|-]+\|?\s*$/.test(rows[1] ?? "")) return [table(rows)];
  return [paragraph(rows)];
}

/** Build a block that is one row only: nothing, a heading or a line across; null when the row is none of them. */
function single(row) {
  if (!row.trim()) return [];
  if (/^(-{3,}|\*{3,})\s*$/.test(row)) return [h("hr", { class: "divider" })];
  const heading = /^(#{1,6})\s+(.*)$/.exec(row);
  if (!heading) return null;
  const level = Math.min(6, heading[1].length + 2);
  return [h("div", { class: "md-heading", role: "heading", "aria-level": level }, spans(heading[2]))];
}

function run(rows, mark) {
  const taken = [];
  while (rows.length && mark.test(rows[0])) taken.push(rows.shift().replace(mark, ""));
  return taken;
}

function fence(rows) {
  rows.shift();
  const inside = [];
  while (rows.length && !rows[0].startsWith("```")) inside.push(rows.shift());
  rows.shift();
  return h("pre", {}, h("code", { text: inside.join("\n") }));
}

function list(rows) {
  const ordered = /^\s*\d+\./.test(rows[0]);
  return h(ordered ? "ol" : "ul", {}, run(rows, /^\s*([-*+]|\d+\.)\s+/).map((item) => h("li", {}, spans(item))));
}

function table(rows) {
  const cells = (row) => row.replace(/^\||\|\s*$/g, "").split("|").map((cell) => spans(cell.trim()));
  const lines = run(rows, /^(?=\|)/);
  const head = h("tr", {}, cells(lines[0]).map((cell) => h("th", { scope: "col" }, cell)));
  const body = lines.slice(2).map((line) => h("tr", {}, cells(line).map((cell) => h("td", {}, cell))));
  return h("div", { class: "table-scroll" }, h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, body)));
}

function paragraph(rows) {
  const lines = [rows.shift()];
  while (rows.length && rows[0].trim() && !/^(#{1,6}\s|```|>|\s*[-*+]\s|\s*\d+\.\s|\|)/.test(rows[0])) lines.push(rows.shift());
  return h("p", {}, lines.flatMap((line, index) => (index ? [h("br"), ...spans(line)] : spans(line))));
}

function spans(text) {
  const found = INLINE.exec(text);
  if (!found) return withEmoji(text);
  const [all, code, bold, alsoBold, strike, label, url, italic, alsoItalic] = found;
  const strong = bold ?? alsoBold;
  const em = italic ?? alsoItalic;
  let node;
  if (code) node = h("code", { class: "code", text: code.slice(1, -1) });
  else if (strong) node = h("strong", {}, spans(strong));
  else if (strike) node = h("s", {}, spans(strike));
  else if (label) node = link(url, spans(label));
  else node = h("em", {}, spans(em));
  return [...withEmoji(text.slice(0, found.index)), node, ...spans(text.slice(found.index + all.length))];
}
