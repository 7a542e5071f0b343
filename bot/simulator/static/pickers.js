/** A menu of which several may be chosen, or whose options the app itself looks up. */

import { h, icon } from "./dom.js";
import { unescaped } from "./mrkdwn.js";

const TYPING_MS = 250;

/**
 * Build a picker.
 * @param {any} at the element with its place (see elements.js)
 * @param {{value: string, label: string, option?: any}[]} known what can be chosen
 * @param {string[]} initial values that are chosen
 * @param {(picked: any[], node: HTMLElement) => Promise<boolean>} keep told after each change
 * @param {{search?: (typed: string) => Promise<any[]>, single?: boolean}} [ways]
 */
export function picker(at, known, initial, keep, ways = {}) {
  const { el, label } = at;
  const hint = el.placeholder ? unescaped(el.placeholder.text) : "Select options";
  let picked = known.filter((one) => initial.includes(one.value));
  let offered = known;
  const chips = h("span", { class: "chips" });
  const search = h("input", { class: "picker-search", type: "text", "aria-label": `Search: ${label || hint}`, placeholder: "Search" });
  const list = h("div", { class: "picker-list", role: "group", "aria-label": label || hint });
  const box = h("details", { class: "picker", "data-action-id": el.action_id }, h("summary", { "aria-label": label || hint }, chips, icon("down", 14)), h("div", { class: "picker-pop" }, search, list));

  function draw() {
    const words = search.value.toLowerCase();
    const shown = ways.search ? offered : offered.filter((one) => one.label.toLowerCase().includes(words));
    list.replaceChildren(...(shown.length ? shown.map(row) : [h("p", { class: "picker-none", text: "Nothing found" })]));
    chips.replaceChildren(...(picked.length ? picked.map((one) => h("span", { class: "chip", text: one.label })) : [h("span", { class: "hint", text: hint })]));
  }

  function row(one) {
    const chosen = picked.some((each) => each.value === one.value);
    const input = h("input", { type: ways.single ? "radio" : "checkbox", name: `${at.blockId}.${el.action_id}`, checked: chosen, on: { change: () => change(one, input.checked) } });
    return h("label", { class: "choice" }, input, h("span", { text: one.label }));
  }

  function change(one, add) {
    picked = picked.filter((each) => each.value !== one.value && !ways.single);
    if (add && picked.length < (el.max_selected_items ?? 100)) picked.push(one);
    if (ways.single) box.open = false;
    keep(picked, box);
    draw();
  }

  let timer = 0;
  async function look() {
    if (search.value.length >= (el.min_query_length ?? 3)) offered = await ways.search(search.value);
    draw();
  }
  search.addEventListener("input", () => {
    clearTimeout(timer);
    if (ways.search) timer = setTimeout(look, TYPING_MS);
    else draw();
  });
  box.addEventListener("toggle", () => {
    if (!box.open) return;
    search.focus();
    if (ways.search) look();
  });
  draw();
  return box;
}
