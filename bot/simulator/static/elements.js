/**
 * Block Kit's elements: what people press, choose and fill in.
 *
 * Each element lives in a `scope`: the message, modal or Home tab it stands in, which knows how to send a click
 * (`act`) and keeps what was chosen (`values`: block_id → action_id → {type, value|selected_…}).
 */

import { h, icon, safeUrl } from "./dom.js";
import { confirmed } from "./dialogs.js";
import { emojized } from "./emoji.js";
import { openMenu } from "./menus.js";
import { textObject, unescaped } from "./mrkdwn.js";
import { picker } from "./pickers.js";
import { state } from "./state.js";
import { picture } from "./pictures.js";

/**
 * @typedef {{act: (picked: any) => Promise<any>, values: Record<string, Record<string, any>>,
 *   options?: (asked: any) => Promise<any>, form?: boolean}} Scope
 */

/** Build an element; `label` names it for screen readers where an input block has a label of its own. */
export function element(given, blockId, scope, label = "") {
  const at = { el: given, blockId, scope, label };
  const make = MAKERS[given.type];
  return make ? make(at) : h("span", { class: "unknown", text: `[${given.type}]` });
}

/** Return the value that an element holds now in Slack's own shape, or undefined. */
export function held({ el, blockId, scope }) {
  return scope.values[blockId]?.[el.action_id];
}

/** Keep a value. */
function keep({ el, blockId, scope }, picked) {
  scope.values[blockId] = { ...scope.values[blockId], [el.action_id]: { type: el.type, ...picked } };
}

/** Keep a value and, where Slack would, send it at once: everywhere but in a plain input block. */
async function choose(at, picked, node) {
  if (at.el.confirm && !(await confirmed(at.el.confirm))) return false;
  keep(at, picked);
  if (!at.scope.form) await press(at, picked, node);
  return true;
}

/** Send a click, with a spinner until it is answered and Slack's warning when it fails. */
export async function press({ el, blockId, scope }, picked, node) {
  if (node.getAttribute("aria-busy") === "true") return;
  complaint(node, null);
  node.setAttribute("aria-busy", "true");
  const answer = await scope.act({ block_id: blockId, action_id: el.action_id, ...picked });
  node.removeAttribute("aria-busy");
  if (!answer.ok) complaint(node, answer.text || answer.error || "That did not work. Try again?");
}

function complaint(node, text) {
  const place = node.closest(".block") ?? node.parentElement;
  place?.parentElement?.querySelectorAll(":scope > .act-error").forEach((old) => old.remove());
  if (text) place?.after(h("div", { class: "act-error", role: "alert", "data-testid": "act-error" }, h("span", { "aria-hidden": "true", text: "⚠" }), ` ${text}`));
}

function button(at) {
  const { el } = at;
  const look = { primary: " btn-primary", danger: " btn-danger" }[el.style] ?? "";
  const shared = { class: `btn${look}`, "data-action-id": el.action_id, "data-testid": "button", "aria-label": el.accessibility_label };
  const href = el.url ? safeUrl(el.url) : null;
  const click = async () => {
    if (el.confirm && !(await confirmed(el.confirm))) return;
    await press(at, { value: el.value }, node);
  };
  const node = href
    ? h("a", { ...shared, href, target: "_blank", rel: "noopener noreferrer", on: { click } }, textObject(el.text))
    : h("button", { ...shared, type: "button", on: { click } }, textObject(el.text));
  return node;
}

function overflow(at) {
  const { el } = at;
  const items = () => (el.options ?? []).map((option) => ({ label: textObject(option.text), run: () => choose({ ...at, scope: { ...at.scope, form: false } }, { selected_option: option }, node) }));
  const node = h("button", { class: "btn btn-icon", type: "button", "data-action-id": el.action_id, "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => openMenu(node, items()) } }, icon("dots"));
  return node;
}

/** Return [{value, label, picked}] of a menu: its own options, or people, or channels. */
function choices(el) {
  const groups = el.option_groups ?? [{ options: el.options ?? [] }];
  if (el.type.includes("users")) return [...state.users.values()].map((u) => ({ value: u.id, label: u.real_name || u.name }));
  if (/channels|conversations/.test(el.type)) return [...state.channels.values()].map((c) => ({ value: c.id, label: `#${c.name}` }));
  return groups.flatMap((group) => group.options.map((o) => ({ value: o.value, label: labelOf(o), group: group.label && unescaped(group.label.text), option: o })));
}

const labelOf = (option) => emojized(unescaped(option.text.text));

const SINGLE = { static_select: "selected_option", external_select: "selected_option", users_select: "selected_user", channels_select: "selected_channel", conversations_select: "selected_conversation" };

function select(at) {
  const { el, label } = at;
  const key = SINGLE[el.type];
  const all = choices(el);
  const now = held(at)?.[key] ?? el[`initial_${key.slice(9)}`];
  const chosen = typeof now === "object" ? now?.value : now;
  const blank = h("option", { value: "", text: el.placeholder ? unescaped(el.placeholder.text) : "Select an option", disabled: !at.scope.form, selected: !chosen });
  const option = (one) => h("option", { value: one.value, text: one.label, selected: one.value === chosen });
  const grouped = [...new Set(all.map((one) => one.group))].map((name) => {
    const inside = all.filter((one) => one.group === name).map(option);
    return name ? h("optgroup", { label: name }, inside) : inside;
  });
  const node = h("select", { class: "select", "data-action-id": el.action_id, "aria-label": label || (el.placeholder ? unescaped(el.placeholder.text) : "Choose") }, blank, grouped);
  if (chosen && at.scope.form) keep(at, { [key]: now });
  let before = node.value;
  node.addEventListener("change", async () => {
    const one = all.find((each) => each.value === node.value);
    const value = one ? (one.option ?? one.value) : null;
    if (await choose(at, { [key]: value }, node)) before = node.value;
    else node.value = before;
  });
  return h("span", { class: "select-box" }, node);
}

const MANY = { multi_static_select: "selected_options", multi_external_select: "selected_options", multi_users_select: "selected_users", multi_channels_select: "selected_channels", multi_conversations_select: "selected_conversations" };

function many(at) {
  const { el } = at;
  const key = MANY[el.type];
  const initial = held(at)?.[key] ?? el[`initial_${key.slice(9)}`] ?? [];
  const keepAll = (picked, node) => choose(at, { [key]: picked.map((one) => one.option ?? one.value) }, node);
  if (initial.length && at.scope.form) keep(at, { [key]: initial });
  return picker(at, choices(el), initial.map((one) => one.value ?? one), keepAll);
}

function external(at) {
  const multi = at.el.type.startsWith("multi");
  const key = multi ? "selected_options" : "selected_option";
  const now = held(at)?.[key] ?? at.el[multi ? "initial_options" : "initial_option"];
  const known = [now ?? []].flat().map((o) => ({ value: o.value, label: labelOf(o), option: o }));
  if (known.length && at.scope.form) keep(at, { [key]: now });
  const search = async (value) => {
    const told = await at.scope.options({ block_id: at.blockId, action_id: at.el.action_id, value });
    const options = told.options ?? (told.option_groups ?? []).flatMap((group) => group.options);
    return options.map((o) => ({ value: o.value, label: labelOf(o), option: o }));
  };
  const done = (picked, node) => choose(at, { [key]: multi ? picked.map((o) => o.option) : (picked.at(-1)?.option ?? null) }, node);
  return picker(at, known, known.map((o) => o.value), done, { search, single: !multi });
}

function choiceList(at, type) {
  const { el, blockId, label } = at;
  const radio = type === "radio";
  const key = radio ? "selected_option" : "selected_options";
  const initial = [held(at)?.[key] ?? (radio ? el.initial_option : el.initial_options) ?? []].flat().filter(Boolean);
  if (initial.length && at.scope.form) keep(at, { [key]: radio ? initial[0] : initial });
  const box = h("div", { class: "choices", role: radio ? "radiogroup" : "group", "aria-label": label || null, "data-action-id": el.action_id });
  const inputs = (el.options ?? []).map((option) => {
    const input = h("input", { type, name: `${blockId}.${el.action_id}`, value: option.value, checked: initial.some((one) => one.value === option.value) });
    box.append(h("label", { class: "choice" }, input, h("span", {}, textObject(option.text), option.description ? h("small", {}, textObject(option.description)) : null)));
    return input;
  });
  box.addEventListener("change", () => {
    const picked = el.options.filter((_, index) => inputs[index].checked);
    choose(at, { [key]: radio ? (picked[0] ?? null) : picked }, box);
  });
  return box;
}

const DATES = {
  datepicker: ["date", "selected_date", "initial_date", (v) => v, (v) => v],
  timepicker: ["time", "selected_time", "initial_time", (v) => v, (v) => v],
  datetimepicker: ["datetime-local", "selected_date_time", "initial_date_time", (v) => Math.floor(new Date(v).getTime() / 1000), localMinute],
};

function localMinute(epoch) {
  const date = new Date(epoch * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function moment(at) {
  const { el, label } = at;
  const [type, key, initialKey, read, write] = DATES[el.type];
  const initial = held(at)?.[key] ?? el[initialKey];
  if (initial && at.scope.form) keep(at, { [key]: initial });
  const name = label || (el.placeholder ? unescaped(el.placeholder.text) : "Date");
  const node = h("input", { class: "text-input moment", type, "data-action-id": el.action_id, "aria-label": name, value: initial ? write(initial) : null });
  node.addEventListener("change", () => choose(at, { [key]: node.value ? read(node.value) : null }, node));
  return node;
}

const TYPES = { number_input: "number", email_text_input: "email", url_text_input: "url" };

function typed(at) {
  const { el, label } = at;
  const initial = held(at)?.value ?? el.initial_value ?? "";
  if (initial && at.scope.form) keep(at, { value: initial });
  const shared = { class: "text-input", "data-action-id": el.action_id, "aria-label": label || "Text", placeholder: el.placeholder ? emojized(unescaped(el.placeholder.text)) : null, maxlength: el.max_length };
  const limits = el.type === "number_input" ? { min: el.min_value, max: el.max_value, step: el.is_decimal_allowed ? "any" : "1" } : {};
  const node = el.multiline ? h("textarea", { ...shared, rows: "4", text: initial }) : h("input", { ...shared, ...limits, type: TYPES[el.type] ?? "text", value: initial });
  node.addEventListener("input", () => keep(at, { value: node.value || null }));
  if (el.focus_on_load) node.setAttribute("autofocus", "");
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !el.multiline && !at.scope.form) press(at, { value: node.value }, node);
  });
  return node;
}

function feedback(at) {
  const half = (given, sign) => h("button", { class: "btn btn-small", type: "button", title: unescaped(given.text.text), "data-action-id": at.el.action_id, on: { click: (event) => press(at, { value: given.value }, event.currentTarget) } }, `${sign} `, textObject(given.text));
  return h("span", { class: "feedback" }, half(at.el.positive_button, "👍"), half(at.el.negative_button, "👎"));
}

const MAKERS = {
  button,
  icon_button: button,
  overflow,
  image: ({ el }) => picture(el, "accessory-image"),
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  external_select: external,
  multi_external_select: external,
  multi_static_select: many,
  multi_users_select: many,
  multi_channels_select: many,
  multi_conversations_select: many,
  radio_buttons: (at) => choiceList(at, "radio"),
  checkboxes: (at) => choiceList(at, "checkbox"),
  datepicker: moment,
  timepicker: moment,
  datetimepicker: moment,
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  feedback_buttons: feedback,
};
