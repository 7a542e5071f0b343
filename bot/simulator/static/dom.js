/**
 * Building the page out of nodes. Data never becomes markup: strings are always text nodes,
 * and addresses pass `safeUrl` first.
 */

const SVG = "http://www.w3.org/2000/svg";
const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/**
 * Build an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `on` (events), `style` (CSS properties), `text`; all others are
 *   attributes: null and false leave one out, true writes an empty one.
 * @param {...(Node|string|null|undefined|false|Array)} children
 * @returns {any} the element
 */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** Build an SVG element; see `h`. */
export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(node, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [name, listener] of Object.entries(value)) node.addEventListener(name, listener);
    else if (key === "style") for (const [name, css] of Object.entries(value)) node.style.setProperty(name, css);
    else if (key === "text") node.textContent = String(value);
    else if (key === "class") node.setAttribute("class", value);
    else if (!key.startsWith("on")) node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Return the element with this id, which index.html is known to hold. */
export function byId(id) {
  return /** @type {any} */ (document.getElementById(id));
}

/**
 * Return the address when it is safe to follow, else null: http, https and mailto only.
 * @param {unknown} url
 */
export function safeUrl(url) {
  try {
    const parsed = new URL(String(url), location.origin);
    return SCHEMES.has(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** Build a link that opens elsewhere; an unsafe address becomes plain text. */
export function link(url, ...children) {
  const href = safeUrl(url);
  if (!href) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", class: "link" }, ...children);
}

const ICONS = {
  hash: "M9 4 7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  home: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
  bot: "M6 9h12v9H6zM12 9V5M12 5h.01M9.5 13h.01M14.5 13h.01M3.5 12v3M20.5 12v3",
  log: "M5 5h14v14H5zM8 9h3M8 12.5h8M8 16h6",
  chats: "M4 5h16v11H10l-4 4v-4H4z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3 19 19M5 19l1.7-1.7M17.3 6.7 19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9.5l6 6 6-6",
  up: "M6 14.5l6-6 6 6",
  dots: "M6 12h.01M12 12h.01M18 12h.01",
  send: "M4 12 4 5l17 7-17 7v-7zM4 12h8",
  smile: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 10h.01M15 10h.01M8.5 14.5c1.8 2.3 5.2 2.3 7 0",
  reply: "M4 5h16v11H11l-4.5 4v-4H4zM8 9h8M8 12h5",
  pin: "M9 4h6l-1 6 3 3.5H7L10 10zM12 13.5V20",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3.200 2.700 3.5 5.5",
};

/** Build one of the page's line icons; it is decoration, so screen readers skip it. */
export function icon(name, size = 18) {
  const box = { class: `icon icon-${name}`, viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" };
  return svg("svg", box, svg("path", { d: ICONS[name] }));
}
