/** The middle: the open channel with its header, messages and composer. */

import { get, post } from "./api.js";
import { Composer } from "./composer.js";
import { notice } from "./dialogs.js";
import { byId, h, icon } from "./dom.js";
import { spokenLine } from "./message.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar } from "./people.js";
import { emit, on, openChannel, state } from "./state.js";
import { Timeline } from "./timeline.js";

const PAGE = 60;
const timeline = new Timeline(byId("messages"), { older: loadOlder, followed: following });
const composer = new Composer(byId("composer"), { send: (text) => say(text, undefined), testid: "composer" });
let away = 0;

/** Show a channel's newest messages. */
export async function showChannel() {
  const channel = openChannel();
  if (!channel) return;
  header(channel);
  composer.place(channel.is_im ? channel.name : `#${channel.name}`, channel.id);
  const unread = channel.unread ?? 0;
  const who = state.me?.id;
  try {
    const told = await get(`channels/${encodeURIComponent(channel.id)}/messages`, { limit: String(PAGE) });
    if (state.open.channel !== channel.id || state.me?.id !== who) return;
    timeline.show(told.messages, { hasMore: told.has_more, newFrom: firstNew(told.messages, unread), intro: intro(channel) });
    following(true);
    markRead();
  } catch (problem) {
    notice(problem.message);
  }
}

/** Return the ts of the first of the last `unread` messages of others. */
function firstNew(messages, unread) {
  const others = messages.filter((m) => m.user !== state.me?.id && !m.ephemeral);
  return unread ? (others.at(-Math.min(unread, others.length))?.ts ?? "") : "";
}

async function loadOlder() {
  const channel = state.open.channel;
  const told = await get(`channels/${encodeURIComponent(channel)}/messages`, { before: timeline.oldest, limit: String(PAGE) });
  if (channel === state.open.channel) timeline.prepend(told.messages, told.has_more);
}

function header(channel) {
  const name = channel.is_im ? [avatar(state.bot.user_id, 24), channel.name] : [icon(channel.is_private ? "lock" : "hash"), channel.name];
  byId("channel-name").replaceChildren(...name.flat());
  byId("channel-topic").replaceChildren(channel.topic ? mrkdwn(channel.topic) : "");
  const members = channel.members ?? [];
  byId("channel-members").replaceChildren(...members.slice(0, 3).map((id) => avatar(id, 24)), ...(members.length ? [h("span", { text: String(members.length) })] : []));
  byId("channel-members").hidden = !members.length;
  byId("home-tabs").hidden = !channel.is_im;
  document.title = `${channel.is_im ? "" : "#"}${channel.name} · ${state.team.name} · Simulator`;
}

function intro(channel) {
  if (channel.is_im) return h("div", { class: "intro" }, avatar(state.bot.user_id, 56), h("h2", { text: channel.name }), h("p", { text: `This is the very beginning of your direct messages with ${channel.name}.` }));
  return h("div", { class: "intro" }, h("h2", {}, "#", channel.name), h("p", { text: `This is the very beginning of the #${channel.name} channel.${channel.topic ? ` ${channel.topic.replace(/[.]?$/, ".")}` : ""}` }));
}

/** Send what was typed; a refusal is told above the composer. */
export async function say(text, thread_ts) {
  const channel = state.open.channel;
  if (!text.startsWith("/")) return post("message", { channel, text, thread_ts });
  return post("command", { channel, text, thread_ts });
}

function markRead() {
  const channel = openChannel();
  if (!channel || !timeline.newest || document.hidden || state.open.kind !== "channel") return;
  if (!channel.unread && !channel.mention) return;
  channel.unread = 0;
  channel.mention = false;
  post("read", { channel: channel.id, ts: timeline.newest });
  emit("sidebar");
}

function following(now) {
  if (now) {
    away = 0;
    markRead();
  }
  const jump = byId("jump");
  jump.hidden = now;
  byId("jump-words").textContent = away ? `${away} new ${away === 1 ? "message" : "messages"}` : "Jump to newest";
}

byId("jump").addEventListener("click", async () => {
  timeline.following = true;
  timeline.toEnd();
  following(true);
});
document.addEventListener("visibilitychange", () => timeline.following && markRead());

on("live:message", ({ message }) => arrived(message));
on("live:ephemeral", (event) => arrived(event.message ?? event));
on("live:changed", ({ message }) => {
  if (isHere(message) && timeline.has(message.ts)) timeline.put(message);
});
on("live:deleted", ({ channel, ts }) => {
  if (channel === state.open.channel) timeline.remove(ts);
});

function isHere(message) {
  return message.channel === state.open.channel;
}

function arrived(message) {
  const reply = message.thread_ts && message.thread_ts !== message.ts && !message.broadcast;
  if (!isHere(message) || reply) return;
  const mine = message.user === state.me?.id;
  if (mine) timeline.following = true;
  timeline.put(message);
  if (!mine) byId("spoken").textContent = spokenLine(message);
  if (timeline.following) markRead();
  else {
    away += 1;
    following(false);
  }
}

export { composer, timeline };
