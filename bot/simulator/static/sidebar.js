/** The left: workspace, channels with what is unread, the app, and as whom one acts. */

import { byId, h, icon } from "./dom.js";
import { openMenu } from "./menus.js";
import { avatar } from "./people.js";
import { emit, on, state } from "./state.js";

const NEW_MARKS = ["<!here>", "<!channel>", "<!everyone>"];

/** Draw everything. */
export function drawSidebar() {
  byId("team-name").textContent = state.team.name;
  byId("team-initial").textContent = [...(state.team.name || "S")][0];
  const all = [...state.channels.values()];
  const channels = all.filter((c) => !c.is_im && !c.is_archived).sort((a, b) => a.name.localeCompare(b.name));
  byId("channels").replaceChildren(...channels.map(channelItem));
  const direct = all.filter((c) => c.is_im);
  byId("apps").replaceChildren(...(direct.length ? direct.map(channelItem) : []), homeItem(!direct.length));
  drawMe();
  drawBot();
}

function go(hash) {
  location.hash = hash;
  document.body.classList.remove("with-sidebar");
}

function channelItem(channel) {
  const open = state.open.kind === "channel" && state.open.channel === channel.id;
  const unread = (channel.unread ?? 0) > 0;
  const classes = ["side-item", open && "open", unread && "unread", channel.is_member === false && !channel.is_im && "not-member"].filter(Boolean).join(" ");
  const sign = channel.is_im ? h("span", { class: "presence-box" }, avatar(state.bot.user_id, 20), dot()) : icon(channel.is_private ? "lock" : "hash", 16);
  const badge = channel.mention || (channel.is_im && unread) ? h("span", { class: "badge", "data-testid": "badge", text: String(Math.max(1, channel.unread ?? 1)) }) : null;
  const label = `${channel.is_im ? "" : "Channel "}${channel.name}${unread ? `, ${channel.unread} unread` : ""}${channel.mention ? ", you were mentioned" : ""}`;
  const item = h("button", { class: classes, type: "button", "data-testid": "channel", "data-channel": channel.id, "data-name": channel.name, "aria-label": label, "aria-current": open ? "page" : null, on: { click: () => go(`#/${encodeURIComponent(channel.id)}`) } }, sign, h("span", { class: "side-name", text: channel.name }), channel.is_im ? h("span", { class: "app-badge", text: "APP" }) : null, badge);
  return h("li", {}, item);
}

function dot() {
  return h("i", { class: `presence${state.bot.connected ? " on" : ""}` });
}

/** The App Home; it stands for the app itself until there is a direct message. */
function homeItem(alone) {
  const open = state.open.kind === "home";
  const sign = alone ? h("span", { class: "presence-box" }, avatar(state.bot.user_id, 20), dot()) : icon("home", 16);
  return h("li", {}, h("button", { class: `side-item${open ? " open" : ""}`, type: "button", "data-testid": "home-item", "aria-current": open ? "page" : null, on: { click: () => go("#/home") } }, sign, h("span", { class: "side-name", text: `${state.bot.name} Home` })));
}

function drawMe() {
  const me = state.me;
  if (!me) return;
  byId("me-avatar").replaceChildren(avatar(me.id, 36));
  byId("me-name").textContent = me.real_name || me.name;
  byId("me-role").textContent = me.title || `@${me.name}`;
}

function drawBot() {
  const words = state.bot.connected ? `${state.bot.name} is connected (${state.bot.transport === "http" ? "signed HTTP" : "Socket Mode"})` : `${state.bot.name} is not connected`;
  byId("bot-state").replaceChildren(dot(), h("span", { text: words }));
}

byId("act-as").addEventListener("click", () => {
  const people = [...state.users.values()].filter((user) => !user.is_bot);
  const row = (user) => [avatar(user.id, 32), h("span", { class: "menu-person" }, h("b", { text: user.real_name || user.name }), h("small", { text: user.title || `@${user.name}` })), user.id === state.me?.id ? icon("check", 16) : null];
  const items = people.map((user) => ({ label: row(user), checked: user.id === state.me?.id, testid: `act-as-${user.id}`, run: () => emit("act-as", user.id) }));
  openMenu(byId("act-as"), items, { label: "Act as", class: "menu-people" });
});

/** Count a message that arrived elsewhere. */
function count(message) {
  const channel = state.channels.get(message.channel);
  const reply = message.thread_ts && message.thread_ts !== message.ts && !message.broadcast;
  if (!channel || message.user === state.me?.id || channel.is_member === false) return;
  const here = state.open.kind === "channel" && state.open.channel === channel.id && !document.hidden;
  // What was said before the page took stock is in its count already.
  if (here || reply || message.ts <= (channel.last_ts ?? "")) return;
  const words = JSON.stringify([message.text, message.blocks]);
  channel.unread = (channel.unread ?? 0) + 1;
  channel.mention ||= words.includes(`<@${state.me?.id}>`) || NEW_MARKS.some((mark) => words.includes(mark));
  emit("sidebar");
}

on("state", drawSidebar);
on("sidebar", drawSidebar);
on("live:message", ({ message }) => count(message));
on("live:channel", ({ channel }) => {
  state.channels.set(channel.id, { ...state.channels.get(channel.id), ...channel });
  drawSidebar();
});
on("live:read", ({ channel }) => {
  const read = state.channels.get(channel);
  if (read) Object.assign(read, { unread: 0, mention: false });
  drawSidebar();
});
on("live:bot", ({ connected, transport }) => {
  Object.assign(state.bot, { connected, transport });
  drawSidebar();
});
