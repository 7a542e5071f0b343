/** One message: who, when, what, and everything that hangs on it. */

import { get, post } from "./api.js";
import { blocks } from "./blocks.js";
import { notice } from "./dialogs.js";
import { h, icon, link, safeUrl } from "./dom.js";
import { emoji, EMOJI } from "./emoji.js";
import { openMenu } from "./menus.js";
import { mrkdwn, unescaped } from "./mrkdwn.js";
import { avatar, nameOf } from "./people.js";
import { fileCard, largePicture } from "./pictures.js";
import { emit, state } from "./state.js";
import { ago, clock, full, momentOf } from "./times.js";

const GROUP_S = 300;
const QUICK = ["white_check_mark", "eyes", "thumbsup", "raised_hands", "fire", "tada", "thinking_face", "pray"];

/** Return true when a message continues the one before it: same author, within five minutes. */
export function continues(message, before) {
  if (!before || before.user !== message.user || before.username !== message.username) return false;
  if (before.ephemeral !== message.ephemeral || message.broadcast || before.subtype || message.subtype) return false;
  const [one, other] = [momentOf(before.ts), momentOf(message.ts)];
  return other.getTime() - one.getTime() < GROUP_S * 1000 && one.toDateString() === other.toDateString();
}

/**
 * Build a message.
 * @param {any} message M of the page's API
 * @param {{grouped?: boolean, inThread?: boolean}} [how] grouped: without avatar and name
 */
export function messageNode(message, { grouped = false, inThread = false } = {}) {
  const when = momentOf(message.ts);
  const classes = ["message", grouped && "grouped", message.ephemeral && "ephemeral", message.pinned && "pinned"];
  const gutter = grouped ? h("time", { class: "gutter-time", title: full(when), text: clock(when).replace(/ [AP]M$/, "") }) : avatar(message.user);
  return h(
    "article",
    { class: classes.filter(Boolean).join(" "), "data-testid": "message", "data-ts": message.ts, "data-user": message.user, "data-ephemeral": message.ephemeral ? "true" : null, "aria-label": `${author(message)}, ${clock(when)}`, tabindex: "-1" },
    marks(message, inThread),
    h("div", { class: "gutter" }, gutter),
    h("div", { class: "content" }, grouped ? null : head(message, when), body(message), reactions(message), inThread ? null : teaser(message)),
    tools(message, inThread),
  );
}

function author(message) {
  return message.username || nameOf(message.user);
}

function marks(message, inThread) {
  const line = (sign, text) => h("div", { class: "mark" }, sign, text);
  const out = [];
  if (message.pinned) out.push(line(icon("pin", 14), "Pinned"));
  if (message.broadcast && !inThread) out.push(h("button", { class: "mark mark-link", type: "button", on: { click: () => emit("open:thread", { channel: message.channel, ts: message.thread_ts }) } }, icon("reply", 14), "replied to a thread"));
  if (message.ephemeral) out.push(line(icon("eye", 14), "Only visible to you"));
  return out;
}

function head(message, when) {
  const badge = message.app ? h("span", { class: "app-badge", text: "APP" }) : null;
  return h("header", { class: "message-head" }, h("b", { class: "author", text: author(message) }), badge, h("time", { datetime: when.toISOString(), title: full(when), text: clock(when) }));
}

/** Return where clicks in this message go. */
function scopeOf(message) {
  const place = { channel: message.channel, message_ts: message.ts };
  const values = {};
  return {
    values,
    act: (picked) => post("click", { ...place, ...picked, state: { values } }),
    options: (asked) => get("options", { ...place, ...asked }).catch(() => ({ options: [] })),
  };
}

function body(message) {
  if (message.subtype === "tombstone") return h("div", { class: "tombstone", text: "This message was deleted." });
  const scope = scopeOf(message);
  const drawn = blocks(message.blocks, scope);
  const text = !drawn.length && message.text ? h("div", { class: "block" }, mrkdwn(message.text)) : null;
  const edited = message.edited ? h("span", { class: "edited", title: full(momentOf(message.edited.ts)), text: "(edited)" }) : null;
  const parts = [text, ...drawn];
  // Slack sets the mark behind the last line of a text, and below blocks.
  if (text && edited) text.querySelector(".mrkdwn").lastElementChild?.append(" ", edited);
  return h("div", { class: "message-body" }, parts, text ? null : edited, (message.attachments ?? []).map((one) => attachment(one, scope)), (message.files ?? []).map(fileCard));
}

const COLORS = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

function attachment(given, scope) {
  const color = COLORS[given.color] ?? (/^#?[0-9a-f]{6}$/i.test(given.color ?? "") ? `#${given.color.replace("#", "")}` : "var(--line-strong)");
  const title = given.title ? h("div", { class: "attachment-title" }, given.title_link && safeUrl(given.title_link) ? link(given.title_link, unescaped(given.title)) : unescaped(given.title)) : null;
  const fields = (given.fields ?? []).map((field) => h("div", { class: field.short ? "field" : "field field-long" }, h("b", { text: unescaped(field.title ?? "") }), mrkdwn(field.value ?? "")));
  const text = given.text ?? (given.blocks?.length ? null : given.fallback);
  const picture = given.image_url ? largePicture({ url: given.image_url, alt: given.fallback ?? "" }) : null;
  const inside = [title, text ? mrkdwn(text) : null, fields.length ? h("div", { class: "fields" }, fields) : null, blocks(given.blocks, scope), picture, given.footer ? h("div", { class: "attachment-footer" }, mrkdwn(given.footer)) : null];
  return h("div", {}, given.pretext ? mrkdwn(given.pretext) : null, h("div", { class: "attachment" }, h("span", { class: "attachment-bar", style: { background: color } }), h("div", { class: "attachment-body" }, inside)));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((one) => {
    const mine = one.users.includes(state.me?.id);
    const who = one.users.map(nameOf).join(", ");
    return h("button", { class: `reaction${mine ? " mine" : ""}`, type: "button", "aria-pressed": String(mine), title: `${who} reacted with :${one.name}:`, "data-reaction": one.name, on: { click: () => react(message, one.name, !mine) } }, emoji(one.name), h("span", { text: String(one.count) }));
  }));
}

async function react(message, name, add) {
  const answer = await post("reaction", { channel: message.channel, ts: message.ts, name, add });
  if (!answer.ok) notice(answer.text || "The reaction was not taken.");
}

function teaser(message) {
  if (!message.reply_count) return null;
  const faces = message.reply_users.slice(0, 4).map((id) => avatar(id, 22));
  const last = momentOf(message.latest_reply);
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  return h("button", { class: "teaser", type: "button", "data-testid": "thread-teaser", "data-last": message.latest_reply, on: { click: () => openThread(message) } }, h("span", { class: "faces" }, faces), h("span", { class: "teaser-count", text: count }), h("span", { class: "teaser-last", "data-ago": String(last.getTime()), "data-ago-words": "Last reply ", text: `Last reply ${ago(last)}` }), h("span", { class: "teaser-open", text: "View thread" }));
}

function openThread(message) {
  emit("open:thread", { channel: message.channel, ts: message.thread_ts ?? message.ts });
}

function tools(message, inThread) {
  if (message.subtype === "tombstone") return null;
  const tool = (name, label, run, testid) => h("button", { class: "tool", type: "button", "aria-label": label, title: label, "data-testid": testid, "aria-haspopup": name === "reply" ? null : "menu", "aria-expanded": name === "reply" ? null : "false", on: { click: (event) => run(event.currentTarget) } }, icon(name));
  const smile = tool("smile", "Add reaction", (at) => openMenu(at, QUICK.map((name) => ({ label: [emoji(name), h("span", { class: "sr-only", text: name })], run: () => react(message, name, true) })), { class: "menu-emoji", label: "Reactions" }), "react");
  const reply = inThread || message.ephemeral ? null : tool("reply", "Reply in thread", () => openThread(message), "reply");
  const shortcuts = (state.shortcuts ?? []).filter((one) => one.type === "message");
  const more = shortcuts.length ? tool("dots", "More actions", (at) => openMenu(at, shortcuts.map((one) => ({ label: one.name, run: () => useShortcut(one, message) }))), "more") : null;
  return message.ephemeral ? null : h("div", { class: "tools", role: "group", "aria-label": "Message actions" }, smile, reply, more);
}

async function useShortcut(shortcut, message) {
  const answer = await post("shortcut", { callback_id: shortcut.callback_id, channel: message.channel, message_ts: message.ts });
  if (!answer.ok) notice(answer.text || "The shortcut did not work.");
}

/** Return a message as one short line, for the live region. */
export function spokenLine(message) {
  const text = String(message.text ?? "").replace(/:([a-z0-9_+-]+):/g, (all, name) => (EMOJI.has(name) ? "" : all));
  return `${author(message)}: ${unescaped(text.replace(/<[^>|]*\|([^>]*)>/g, "$1")).slice(0, 200)}`;
}
