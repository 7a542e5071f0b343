/** The `rich_text` block: sections, lists, preformatted text and quotes made of styled spans. */

import { h, link } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { channelLink, groupMention, mention, subteam } from "./people.js";
import { slackDate } from "./times.js";

const TAGS = { bold: "strong", italic: "em", strike: "s", underline: "u", highlight: "mark", client_highlight: "mark" };

/** Build a rich_text block. */
export function richText(block) {
  return h("div", { class: "rich" }, (block.elements ?? []).map(part));
}

function part(element) {
  switch (element.type) {
    case "rich_text_list":
      return listOf(element);
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, (element.elements ?? []).map((span) => span.text ?? span.url ?? "")));
    case "rich_text_quote":
      return h("blockquote", {}, (element.elements ?? []).map(span));
    default:
      return h("div", { class: "rich-section" }, (element.elements ?? []).map(span));
  }
}

function listOf(element) {
  const ordered = element.style === "ordered";
  const attrs = { class: `rich-list depth-${Math.min(8, element.indent ?? 0)}`, start: ordered ? (element.offset ?? 0) + 1 : null };
  return h(ordered ? "ol" : "ul", attrs, (element.elements ?? []).map((item) => h("li", {}, (item.elements ?? []).map(span))));
}

function span(piece) {
  let node = bare(piece);
  const style = piece.style ?? {};
  if (style.code) node = h("code", { class: "code" }, node);
  for (const [name, tag] of Object.entries(TAGS)) if (style[name]) node = h(tag, {}, node);
  return node;
}

function bare(piece) {
  switch (piece.type) {
    case "link":
      return link(piece.url, piece.text || piece.url);
    case "emoji":
      return emoji(piece.name);
    case "user":
      return mention(piece.user_id);
    case "channel":
      return channelLink(piece.channel_id);
    case "usergroup":
      return subteam(piece.usergroup_id);
    case "broadcast":
      return groupMention(piece.range);
    case "date":
      return h("time", { text: slackDate(piece.timestamp, piece.format ?? "{date}", piece.fallback ?? "") });
    case "color":
      return h("code", { class: "code", text: piece.value });
    default:
      return h("span", { class: "text" }, withEmoji(piece.text ?? ""));
  }
}
