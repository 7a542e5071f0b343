/** Pictures: only the simulator's own are loaded; an address elsewhere is shown as a link, so that nothing leaks. */

import { h, link } from "./dom.js";
import { zoom } from "./dialogs.js";
import { unescaped } from "./mrkdwn.js";

/** Return the address of a picture that may be loaded, or null. */
function ownUrl(url) {
  try {
    const parsed = new URL(String(url), location.origin);
    const data = parsed.protocol === "data:" && /^data:image\/(png|jpeg|gif|webp);/.test(String(url));
    return data || parsed.origin === location.origin ? parsed.href : null;
  } catch {
    return null;
  }
}

function sourceOf(given) {
  if (given.slack_file?.id) return `/ui/files/${encodeURIComponent(given.slack_file.id)}`;
  const named = /\/files-pri\/([A-Za-z0-9_-]+)/.exec(given.slack_file?.url ?? given.image_url ?? "");
  return named ? `/ui/files/${named[1]}` : given.image_url;
}

/** Build the image of an image element or block. */
export function picture(given, className) {
  const url = ownUrl(sourceOf(given));
  const alt = unescaped(given.alt_text ?? "");
  if (!url) return h("span", { class: `${className} picture-away`, role: "img", "aria-label": alt, title: alt, text: "🖼" });
  return h("img", { class: className, src: url, alt, title: alt, loading: "lazy" });
}

/** Build a large picture that a click enlarges, with its title above and a note when it cannot be loaded. */
export function largePicture({ url, alt, title, width, height, note }) {
  const own = ownUrl(url);
  const caption = title ? h("figcaption", {}, title) : null;
  if (!own) return h("figure", { class: "picture" }, caption, h("div", { class: "picture-away" }, "Picture elsewhere: ", link(url, alt || String(url))));
  const img = h("img", { src: own, alt, width, height, loading: "lazy" });
  img.addEventListener("error", () => open.replaceWith(h("div", { class: "picture-away", text: `The picture could not be loaded: ${alt || title || url}` })));
  const open = h("button", { class: "picture-open", type: "button", "aria-label": `Enlarge picture: ${alt || "no description"}`, on: { click: () => zoom(own, alt) } }, img);
  return h("figure", { class: "picture" }, caption, open, note ? h("p", { class: "picture-note" }, note) : null);
}

/** Build a file of a message: a picture, or a card with its name. */
export function fileCard(file) {
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "")) {
    return largePicture({ url: file.url, alt: file.alt_txt ?? "", title: file.title || file.name, width: file.width, height: file.height });
  }
  const size = file.size ? `${Math.max(1, Math.round(file.size / 1024))} KB` : file.mimetype;
  return h("a", { class: "file-card", href: ownUrl(file.url) ?? "#", download: file.name }, h("span", { class: "file-icon", "aria-hidden": "true", text: "📄" }), h("span", {}, h("b", { text: file.title || file.name }), h("small", { text: size })));
}
