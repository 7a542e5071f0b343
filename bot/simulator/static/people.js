/** Who is who: names, avatars, mentions. */

import { h, icon } from "./dom.js";
import { state } from "./state.js";

/** Return the name that people see. */
export function nameOf(id) {
  const user = state.users.get(id);
  return user ? user.real_name || user.name : id || "Unknown";
}

/** Return up to two initials. */
function initials(name) {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
}

/** Return black or white, whichever can be read on this colour. */
function inkOn(hex) {
  const channel = (at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4);
  return light > 0.3 ? "#1d1c1d" : "#ffffff";
}

/** Build a coloured rounded square with initials; a bot gets a face. */
export function avatar(id, size = 36) {
  const user = state.users.get(id);
  const bot = user?.is_bot || id === state.bot.user_id;
  const color = /^[0-9a-f]{6}$/i.test(user?.color ?? "") ? user.color : "616061";
  const style = { "--size": `${size}px`, "--paint": `#${color}`, "--face": inkOn(color) };
  const inside = bot ? icon("bot", Math.round(size * 0.64)) : initials(nameOf(id));
  return h("span", { class: `avatar${bot ? " avatar-bot" : ""}`, style, "aria-hidden": "true" }, inside);
}

/** Build a highlighted @mention of a person. */
export function mention(id) {
  const mine = id === state.me?.id ? " mention-me" : "";
  return h("span", { class: `mention${mine}`, text: `@${nameOf(id)}` });
}

/** Build a highlighted @mention of a group or of everybody. */
export function groupMention(label) {
  return h("span", { class: "mention mention-me", text: label.startsWith("@") ? label : `@${label}` });
}

/** Build a highlighted @mention of a user group, by its id when the text does not name it. */
export function subteam(id, label) {
  return groupMention(label || state.groups.get(id)?.handle || id);
}

/** Build a link to a channel. */
export function channelLink(id, label) {
  const name = state.channels.get(id)?.name ?? label ?? id;
  return h("a", { class: "mention", href: `#/${encodeURIComponent(id)}`, text: `#${name}` });
}
