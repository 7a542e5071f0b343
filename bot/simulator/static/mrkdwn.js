/** Slack's mark-up language as nodes: *bold* _italic_ ~strike~ `code` quotes, links, mentions, dates, emoji. */

import { h, link, safeUrl } from "./dom.js";
import { EMOJI, emoji, withEmoji } from "./emoji.js";
import { channelLink, groupMention, mention, subteam } from "./people.js";
import { slackDate } from "./times.js";

const QUOTE = /^(?:&gt;|>)\s?/;
const BULLET = /^(\s*)([•◦▪–-])\s+(.*)$/;
const STYLES = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;

/** Return the text with Slack's three entities undone. */
export function unescaped(text) {
  return String(text).replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

/** Build the nodes of a text object, plain or mrkdwn. */
export function textObject(object) {
  if (!object) return h("span");
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  return h("span", { class: "plain" }, object.emoji === false ? unescaped(object.text) : withEmoji(unescaped(object.text)));
}

/** Build the nodes of a mrkdwn text. */
export function mrkdwn(text) {
  const root = h("div", { class: "mrkdwn" });
  const parts = String(text ?? "").split(/```\n?([\s\S]*?)\n?```/g);
  parts.forEach((part, index) => {
    if (index % 2) root.append(h("pre", {}, h("code", {}, literal(part))));
    else if (part) root.append(...lines(index ? part.replace(/^\n/, "") : part));
  });
  return root;
}

function lines(text) {
  const out = [];
  let quote = null;
  const all = text.split("\n");
  all.forEach((line, index) => {
    if (QUOTE.test(line)) {
      if (!quote) out.push((quote = h("blockquote")));
      quote.append(h("div", {}, inline(line.replace(QUOTE, ""))));
      return;
    }
    quote = null;
    const bullet = BULLET.exec(line);
    if (bullet) {
      const [, indent, mark, rest] = bullet;
      const style = { "--depth": String(Math.min(4, Math.floor(indent.length / 2))) };
      out.push(h("div", { class: "bullet", style }, h("span", { class: "bullet-mark", text: mark === "-" ? "•" : mark }), h("span", {}, inline(rest))));
      return;
    }
    if (line === "" && index < all.length - 1) out.push(h("div", { class: "gap" }));
    else if (line !== "") out.push(h("div", {}, inline(line)));
  });
  return out;
}

/** Return text in which mark-up is not read, except that `<url>` shows its address. */
function literal(text) {
  return unescaped(String(text).replace(/<([^<>|\n]+)(?:\|([^<>\n]*))?>/g, (all, target, label) => (safeUrl(target) && /^\w+:/.test(target) ? label || target : all)));
}

/** Build the nodes of one line. */
export function inline(text) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push(document.createTextNode(unescaped(plain)));
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = tokenAt(text, at);
    if (found) {
      flush();
      out.push(found.node);
      at += found.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return out;
}

function tokenAt(text, at) {
  switch (text[at]) {
    case "`":
      return codeAt(text, at);
    case "<":
      return angleAt(text, at);
    case ":":
      return emojiAt(text, at);
    case "*":
    case "_":
    case "~":
      return styledAt(text, at);
    default:
      return null;
  }
}

function codeAt(text, at) {
  const end = text.indexOf("`", at + 1);
  if (end < 0 || end === at + 1) return null;
  return { node: h("code", { class: "code" }, literal(text.slice(at + 1, end))), length: end + 1 - at };
}

function emojiAt(text, at) {
  const found = /^:([a-z0-9_+-]+):/.exec(text.slice(at, at + 64));
  return found && EMOJI.has(found[1]) ? { node: emoji(found[1]), length: found[0].length } : null;
}

function styledAt(text, at) {
  const mark = text[at];
  const before = text[at - 1];
  const next = text[at + 1];
  if (!next || next === mark || /\s/.test(next) || (before && WORD.test(before))) return null;
  for (let end = text.indexOf(mark, at + 2); end > 0; end = text.indexOf(mark, end + 1)) {
    const after = text[end + 1];
    if (/\s/.test(text[end - 1]) || (after && WORD.test(after))) continue;
    return { node: h(STYLES[mark], {}, inline(text.slice(at + 1, end))), length: end + 1 - at };
  }
  return null;
}

function angleAt(text, at) {
  const found = /^<([^<>\n]+)>/.exec(text.slice(at));
  if (!found) return null;
  const node = special(found[1]);
  return node && { node, length: found[0].length };
}

/** Build what stands between < and >: a person, channel, group, date or link. */
function special(inside) {
  const [target, ...rest] = inside.split("|");
  const label = rest.join("|");
  if (target.startsWith("@")) return mention(target.slice(1));
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!date^")) return dated(target, label);
  if (target.startsWith("!subteam^")) return subteam(target.slice(9), label);
  if (target.startsWith("!")) return groupMention(label || target.slice(1));
  if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) return null;
  return link(unescaped(target), label ? inline(label) : unescaped(target));
}

function dated(target, fallback) {
  const [, epoch, format, url] = target.split("^");
  const words = slackDate(epoch, unescaped(format ?? "{date}"), unescaped(fallback));
  const node = h("time", { title: unescaped(fallback), text: words });
  return url ? link(unescaped(url), node) : node;
}
