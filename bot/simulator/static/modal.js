/** Modals: a stack of up to three views in one dialog; inputs keep what was typed while the app changes the view. */

import { get, post } from "./api.js";
import { blocks } from "./blocks.js";
import { confirmed } from "./dialogs.js";
import { byId, h, icon } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { on } from "./state.js";

/** @type {{view: any, scope: any}[]} bottom first */
let stack = [];
const dialog = byId("modal");
/** @type {Element|null} */
let cameFrom = null;

/** Return the place where clicks in a view go; shared with the Home tab. */
export function viewScope(view, values = {}) {
  return {
    values,
    act: (picked) => post("view/click", { view_id: view.id, ...picked, state: { values } }),
    options: (asked) => get("options", { view_id: view.id, ...asked }).catch(() => ({ options: [] })),
  };
}

/** Put a view on top, or in the place of the one it updates. */
export function openView(view) {
  const at = stack.findIndex((one) => one.view.id === view.id);
  if (at >= 0) return updateView(view);
  if (!view.previous_view_id) stack = [];
  stack.push({ view, scope: viewScope(view, structuredClone(view.state?.values ?? {})) });
  if (!dialog.open) cameFrom = document.activeElement;
  return draw();
}

function updateView(view) {
  const one = stack.find((each) => each.view.id === view.id);
  if (!one) return;
  // What was typed stays where block_id and action_id stay, as in Slack.
  one.scope = viewScope(view, { ...structuredClone(view.state?.values ?? {}), ...one.scope.values });
  one.view = view;
  draw();
}

function dropView(id) {
  stack = stack.filter((one) => one.view.id !== id);
  draw();
}

/** Forget every modal; for another person's page. */
export function closeAll() {
  stack = [];
  draw();
}

/** Show the modals that the simulator still holds open for this person, after a reload. */
export async function restoreViews() {
  const told = await get("views").catch(() => ({ stack: [] }));
  closeAll();
  for (const view of told.stack ?? []) openView(view);
}

function draw() {
  const top = stack.at(-1);
  if (!top) {
    if (dialog.open) dialog.close();
    dialog.replaceChildren();
    if (cameFrom instanceof HTMLElement && cameFrom.isConnected) cameFrom.focus();
    cameFrom = null;
    return;
  }
  const focused = document.activeElement?.getAttribute("data-action-id");
  const fresh = dialog.getAttribute("data-view-id") !== top.view.id || !dialog.open;
  const scroll = dialog.querySelector(".dialog-body")?.scrollTop ?? 0;
  dialog.setAttribute("data-view-id", top.view.id);
  dialog.replaceChildren(form(top));
  if (!dialog.open) dialog.showModal();
  const body = dialog.querySelector(".dialog-body");
  body.scrollTop = fresh ? 0 : scroll;
  const again = focused && !fresh ? dialog.querySelector(`[data-action-id="${CSS.escape(focused)}"]`) : null;
  (again ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector(".dialog-body :is(input, textarea, select)") ?? dialog.querySelector(".dialog-foot .btn-primary") ?? dialog).focus();
}

function form({ view, scope }) {
  const back = stack.length > 1 ? h("button", { class: "icon-btn", type: "button", "aria-label": "Back", on: { click: () => leave(view) } }, "‹") : null;
  const cross = h("button", { class: "icon-btn", type: "button", "aria-label": "Close", "data-testid": "modal-x", on: { click: () => leave(view) } }, icon("close"));
  const close = h("button", { class: "btn", type: "button", "data-testid": "modal-close", on: { click: () => leave(view) } }, view.close ? textObject(view.close) : "Cancel");
  const submit = view.submit ? h("button", { class: "btn btn-primary", type: "submit", disabled: view.submit_disabled === true, "data-testid": "modal-submit" }, textObject(view.submit)) : null;
  return h(
    "form",
    { class: "dialog-form", novalidate: true, on: { submit: (event) => (event.preventDefault(), send(view, scope, submit)) } },
    h("header", { class: "dialog-head" }, back, h("h2", { id: "modal-title", class: "dialog-title" }, textObject(view.title)), cross),
    h("div", { class: "dialog-body" }, blocks(view.blocks, scope)),
    h("div", { class: "dialog-error", role: "alert", "data-testid": "modal-error" }),
    h("footer", { class: "dialog-foot" }, close, submit),
  );
}

async function send(view, scope, button) {
  if (button?.getAttribute("aria-busy") === "true") return;
  tell(view.id, {}, "");
  button?.setAttribute("aria-busy", "true");
  const answer = await post("view/submit", { view_id: view.id, state: { values: scope.values } });
  button?.removeAttribute("aria-busy");
  if (answer.response_action === "errors" || answer.errors) return tell(view.id, answer.errors ?? {}, "");
  if (!answer.ok) return tell(view.id, {}, answer.text || answer.error);
  if (answer.response_action === "update" || answer.response_action === "push") return openView(answer.view);
  return answer.response_action === "clear" ? closeAll() : dropView(view.id);
}

/** Show errors under their inputs, and a general one above the buttons. */
function tell(viewId, errors, general) {
  if (dialog.getAttribute("data-view-id") !== viewId) return;
  for (const place of dialog.querySelectorAll("[data-error-for]")) {
    const text = errors[place.getAttribute("data-error-for")] ?? "";
    place.textContent = text;
    place.closest(".block")?.classList.toggle("has-error", Boolean(text));
  }
  dialog.querySelector(".dialog-error").textContent = general;
  dialog.querySelector(".has-error :is(input, textarea, select, summary)")?.focus();
}

async function leave(view) {
  dropView(view.id);
  const answer = await post("view/close", { view_id: view.id });
  if (answer.ok && view.clear_on_close) closeAll();
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  const top = stack.at(-1);
  if (top) leave(top.view);
});
dialog.addEventListener("click", async (event) => {
  // A click beside the dialog; Slack asks before it throws typed words away.
  const top = stack.at(-1);
  if (event.target !== dialog || !top) return;
  const typed = Object.values(top.scope.values).some((actions) => Object.values(actions).some((held) => held.value));
  const asked = { title: { type: "plain_text", text: "Close without saving?" }, text: { type: "plain_text", text: "What you typed will be lost." }, confirm: { type: "plain_text", text: "Close" } };
  if (!typed || (await confirmed(asked))) leave(top.view);
});

on("live:view_open", ({ view }) => openView(view));
on("live:view_update", ({ view }) => updateView(view));
on("live:view_close", ({ view }) => dropView(view.id));
