/** Tables: `table` is shown as it is; `data_table` can be sorted and turned page by page. */

import { h, icon } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { richText } from "./richtext.js";

const PAGE = 20;

/** Build the `table` block; its first row is the header. */
export function table(block) {
  const settings = block.column_settings ?? [];
  const [head, ...body] = block.rows ?? [];
  const cells = (row, tag) =>
    row.map((cell, column) => h(tag, { class: look(settings[column], cell), scope: tag === "th" ? "col" : null }, content(cell)));
  const rows = body.map((row) => h("tr", {}, cells(row, "td")));
  return framed(h("table", { class: "table" }, h("thead", {}, h("tr", {}, cells(head ?? [], "th"))), h("tbody", {}, rows)), "Table");
}

/** Build the `data_table` block. */
export function dataTable(block) {
  const [head, ...body] = block.rows ?? [];
  const size = block.page_size ?? PAGE;
  const shown = { page: 0, column: -1, down: false };
  const tbody = h("tbody");
  const foot = h("div", { class: "pager" });
  const titles = (head ?? []).map((cell, column) =>
    h("th", { scope: "col", "aria-sort": "none" }, h("button", { class: "sort", type: "button", on: { click: () => sortBy(column) } }, content(cell), icon("down", 14))),
  );

  function sortBy(column) {
    shown.down = shown.column === column && !shown.down;
    shown.column = column;
    shown.page = 0;
    titles.forEach((title, index) => title.setAttribute("aria-sort", index === column ? (shown.down ? "descending" : "ascending") : "none"));
    draw();
  }

  function draw() {
    const sorted = shown.column < 0 ? body : [...body].sort((a, b) => compare(a[shown.column], b[shown.column]) * (shown.down ? -1 : 1));
    const pages = Math.max(1, Math.ceil(sorted.length / size));
    const header = block.row_header_column_index;
    const row = (cells) => h("tr", {}, cells.map((cell, column) => h(column === header ? "th" : "td", { class: look(null, cell), scope: column === header ? "row" : null }, content(cell))));
    tbody.replaceChildren(...sorted.slice(shown.page * size, (shown.page + 1) * size).map(row));
    const turn = (by, label) => h("button", { class: "btn btn-small", type: "button", disabled: shown.page + by < 0 || shown.page + by >= pages, on: { click: () => ((shown.page += by), draw()) } }, label);
    foot.replaceChildren(...(pages > 1 ? [turn(-1, "Previous"), h("span", { text: `${shown.page + 1} of ${pages}` }), turn(1, "Next")] : []));
  }

  draw();
  const caption = block.caption ? h("div", { class: "table-caption", text: block.caption }) : null;
  return h("div", { class: "data-table" }, caption, framed(h("table", { class: "table" }, h("thead", {}, h("tr", {}, titles)), tbody), block.caption || "Table"), foot);
}

function framed(inside, label) {
  return h("div", { class: "table-scroll", role: "region", "aria-label": label, tabindex: "0" }, inside);
}

function look(setting, cell) {
  const align = setting?.align ?? (cell?.type === "raw_number" ? "right" : "left");
  return `to-${["left", "center", "right"].includes(align) ? align : "left"}${setting?.is_wrapped ? " wraps" : ""}`;
}

function content(cell) {
  if (cell?.type === "rich_text") return richText(cell);
  if (cell?.type === "raw_number") return cell.text ?? String(cell.value);
  return withEmoji(cell?.text ?? "");
}

function words(cell) {
  if (cell?.type === "raw_number") return cell.value;
  if (cell?.type !== "rich_text") return cell?.text ?? "";
  return (cell.elements ?? []).flatMap((part) => part.elements ?? []).map((span) => span.text ?? "").join("");
}

function compare(one, other) {
  const [a, b] = [words(one), words(other)];
  const [x, y] = [a, b].map((value) => (typeof value === "number" ? value : Number.parseFloat(String(value).replace(/[, ]/g, ""))));
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
