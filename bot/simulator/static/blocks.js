/** Block Kit's blocks as Slack's own client draws them. */

import { chart } from "./charts.js";
import { h, link, safeUrl } from "./dom.js";
import { element } from "./elements.js";
import { markdown } from "./markdown.js";
import { textObject, unescaped } from "./mrkdwn.js";
import { largePicture, picture } from "./pictures.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

/** Build a list of blocks; a block that cannot be drawn says so and spares the others. */
export function blocks(given, scope) {
  return (given ?? []).map((block) => {
    try {
      const make = MAKERS[block.type];
      const node = make ? make(block, scope) : h("p", { class: "unknown", text: `[${block.type}]` });
      node.classList.add("block", `block-${String(block.type).replace(/[^a-z_]/g, "")}`);
      if (block.block_id) node.setAttribute("data-block-id", block.block_id);
      return node;
    } catch (problem) {
      return h("p", { class: "unknown", text: `[${block?.type}: ${problem.message}]` });
    }
  });
}

function section(block, scope) {
  const fields = block.fields?.length ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, textObject(field)))) : null;
  const text = h("div", { class: "section-text" }, block.text ? textObject(block.text) : null, fields);
  return h("div", {}, text, block.accessory ? h("div", { class: "accessory" }, element(block.accessory, block.block_id, scope)) : null);
}

function context(block) {
  return h("div", {}, (block.elements ?? []).map((one) => (one.type === "image" ? picture(one, "context-image") : h("span", { class: "context-text" }, textObject(one)))));
}

function actions(block, scope) {
  return h("div", {}, (block.elements ?? []).map((one) => element(one, block.block_id, scope)));
}

function image(block) {
  const named = /\/files-pri\/([A-Za-z0-9_-]+)/.exec(block.slack_file?.url ?? block.image_url ?? "");
  const id = block.slack_file?.id ?? named?.[1];
  const url = id ? `/ui/files/${encodeURIComponent(id)}` : block.image_url;
  return largePicture({ url, alt: unescaped(block.alt_text ?? ""), title: block.title ? textObject(block.title) : null });
}

function input(block, scope) {
  const inner = block.element;
  const label = unescaped(block.label?.text ?? "");
  const field = element(inner, block.block_id, { ...scope, form: !block.dispatch_action }, label);
  const name = h("div", { class: "input-label" }, textObject(block.label), block.optional ? h("span", { class: "optional", text: " (optional)" }) : null);
  const hint = block.hint ? h("div", { class: "input-hint" }, textObject(block.hint)) : null;
  return h("div", {}, name, field, h("div", { class: "input-error", role: "alert", "data-error-for": block.block_id }), hint);
}

function alertBox(block) {
  const sign = { info: "ℹ️", warning: "⚠️", error: "⛔", success: "✅" }[block.level] ?? "💬";
  const level = ["info", "warning", "error", "success"].includes(block.level) ? block.level : "default";
  return h("div", { class: `alert-${level}`, role: level === "error" ? "alert" : "note" }, h("span", { "aria-hidden": "true", text: sign }), textObject(block.text));
}

function card(block, scope) {
  return h(
    "div",
    {},
    block.hero_image ? picture(block.hero_image, "card-hero") : null,
    h("div", { class: "card-head" }, block.icon ? picture(block.icon, "card-icon") : null, h("div", {}, block.title ? h("div", { class: "card-title" }, textObject(block.title)) : null, block.subtitle ? h("div", { class: "card-subtitle" }, textObject(block.subtitle)) : null)),
    block.body ? h("div", { class: "card-body" }, textObject(block.body)) : null,
    block.actions ? h("div", { class: "block-actions" }, block.actions.map((one) => element(one, block.block_id, scope))) : null,
  );
}

function container(block, scope) {
  const title = block.rich_text_title ? richText(block.rich_text_title) : textObject(block.title);
  const head = [block.icon ? picture(block.icon, "card-icon") : null, h("span", { class: "card-title" }, title), block.subtitle ? h("span", { class: "card-subtitle" }, textObject(block.subtitle)) : null];
  const inside = h("div", { class: "container-body" }, blocks(block.child_blocks, scope));
  if (!block.is_collapsible) return h("div", {}, h("div", { class: "container-head" }, head), inside);
  return h("div", {}, h("details", { open: !block.default_collapsed }, h("summary", { class: "container-head" }, head), inside));
}

function video(block) {
  const href = safeUrl(block.title_url ?? block.video_url);
  return h("div", {}, h("div", { class: "card-title" }, href ? link(href, textObject(block.title)) : textObject(block.title)), block.description ? textObject(block.description) : null);
}

const TASKS = { pending: "○", in_progress: "◔", complete: "✓", error: "✕" };

function task(block) {
  const sources = (block.sources ?? []).map((source) => link(source.url, source.text || source.url));
  return h("div", {}, h("span", { class: `task-sign task-${block.status in TASKS ? block.status : "pending"}`, "aria-label": block.status, text: TASKS[block.status] ?? "○" }), h("div", {}, h("b", { text: block.title }), block.details ? richText(block.details) : null, block.output ? richText(block.output) : null, sources));
}

const MAKERS = {
  header: (block) => h("div", { role: "heading", "aria-level": String((block.level ?? 1) + 2) }, textObject(block.text)),
  section,
  divider: () => h("hr", { class: "divider" }),
  context,
  actions,
  context_actions: actions,
  image,
  input,
  rich_text: richText,
  table,
  data_table: dataTable,
  markdown: (block) => markdown(block.text),
  alert: alertBox,
  card,
  carousel: (block, scope) => h("div", { tabindex: "0", role: "region", "aria-label": "Cards" }, blocks(block.elements, scope)),
  container,
  data_visualization: chart,
  video,
  task_card: task,
  plan: (block) => h("div", {}, h("div", { class: "card-title", text: block.title }), (block.tasks ?? []).map((one) => blocks([one], {}))),
};
