/** The drawer below: every call between app and simulator as it happens, and faults to try the app with. */

import { get, post } from "./api.js";
import { notice } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { on } from "./state.js";

const KEPT = 500;
const SHOWN = "simulator.log";
const drawer = byId("log");
const list = byId("log-list");
const filter = byId("log-filter");
/** @type {any[]} newest first */
let calls = [];
let kind = "";

/** Open or close the drawer. */
export async function toggleLog(open = drawer.hidden) {
  drawer.hidden = !open;
  byId("log-toggle").setAttribute("aria-pressed", String(open));
  localStorage.setItem(SHOWN, open ? "1" : "");
  if (open) await load();
}

async function load() {
  try {
    const told = await get("calls", { limit: "200" });
    calls = told.calls.reverse();
    draw();
    faults();
  } catch (problem) {
    notice(problem.message);
  }
}

function fits(call) {
  const words = filter.value.trim().toLowerCase();
  return (!kind || call.kind === kind) && (!words || `${call.name} ${call.status} ${JSON.stringify(call.request)}`.toLowerCase().includes(words));
}

function draw() {
  const shown = calls.filter(fits);
  list.replaceChildren(...(shown.length ? shown.map(row) : [h("p", { class: "log-none", text: calls.length ? "No call matches the filter." : "No calls yet. They appear here as the app and Slack talk." })]));
  byId("log-count").textContent = `${shown.length} of ${calls.length}`;
}

function row(call) {
  const good = call.status === "ok";
  const inwards = call.direction === "in";
  const time = new Date(call.at * 1000).toLocaleTimeString("en", { hour12: false });
  const summary = h("summary", {}, h("time", { text: time }), h("span", { class: "log-way", title: inwards ? "app → Slack" : "Slack → app", text: inwards ? "→" : "←" }), h("span", { class: "log-kind", text: String(call.kind).replace("_", " ") }), h("b", { class: "log-name", text: call.name }), h("span", { class: `status ${good ? "status-ok" : "status-bad"}`, text: call.status }), h("span", { class: "log-ms", text: `${Math.round(call.ms)} ms` }));
  const details = h("details", { class: "log-row", "data-testid": "call", "data-name": call.name, "data-status": call.status }, summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(json("Request", call.request), json("Response", call.response));
  });
  return details;
}

function json(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return h("div", { class: "log-json" }, h("h4", { text: title }), h("pre", { tabindex: "0" }, h("code", { text: text ?? "" })));
}

async function faults() {
  const told = await get("faults").catch(() => ({ faults: [] }));
  const waiting = (told.faults ?? []).map((f) => h("span", { class: "chip", text: `${f.kind} · ${f.method} × ${f.count}` }));
  byId("faults-waiting").replaceChildren(...(waiting.length ? waiting : [h("span", { class: "hint", text: "none waiting" })]));
}

async function cause(event) {
  event.preventDefault();
  const [faultKind, method, count] = ["fault-kind", "fault-method", "fault-count"].map((id) => byId(id).value);
  const answer = await post("faults", { kind: faultKind, method: method.trim() || "*", count: Number(count) || 1, retry_after: 2, delay_s: 4 });
  if (!answer.ok) notice(answer.text || "The fault was not taken.");
  faults();
}

byId("log-toggle").addEventListener("click", () => toggleLog());
byId("log-close").addEventListener("click", () => toggleLog(false));
byId("log-kind").addEventListener("change", (event) => {
  kind = event.target.value;
  draw();
});
filter.addEventListener("input", draw);
byId("faults").addEventListener("submit", cause);
byId("faults-clear").addEventListener("click", async () => {
  await post("faults", { clear: true });
  faults();
});
drawer.addEventListener("keydown", (event) => event.key === "Escape" && (toggleLog(false), byId("log-toggle").focus()));

on("live:call", ({ call }) => {
  calls.unshift(call);
  calls.length = Math.min(calls.length, KEPT);
  if (drawer.hidden) return;
  if (fits(call)) {
    list.querySelector(".log-none")?.remove();
    const node = row(call);
    node.classList.add("arrived");
    list.prepend(node);
    while (list.childElementCount > KEPT) list.lastElementChild.remove();
  }
  byId("log-count").textContent = `${calls.filter(fits).length} of ${calls.length}`;
  if (/\(/.test(call.status)) faults();
});

/** Open the drawer again when it was open before the reload. */
export function restoreLog() {
  if (localStorage.getItem(SHOWN)) toggleLog(true);
}
