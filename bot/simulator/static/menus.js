/** Small menus that open beside what was pressed: arrow keys move, Enter chooses, Escape closes. */

import { h } from "./dom.js";

/** @type {{close: () => void}|null} */
let open = null;

/** Close the open menu, if any. */
export function closeMenu() {
  open?.close();
}

/**
 * Open a menu.
 * @param {HTMLElement} anchor what was pressed
 * @param {{label: string|Node|Array, run: () => void, danger?: boolean, checked?: boolean, testid?: string}[]} items
 * @param {{label?: string, class?: string}} [options]
 */
export function openMenu(anchor, items, options = {}) {
  const again = anchor.getAttribute("aria-expanded") === "true";
  closeMenu();
  if (again) return;
  const rows = items.map((item) => row(item));
  const menu = h("div", { class: `menu ${options.class ?? ""}`, role: "menu", "aria-label": options.label ?? "Menu" }, rows);
  // A modal dialog makes everything outside it inert, so the menu has to live inside.
  (anchor.closest("dialog") ?? document.body).append(menu);
  place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  const outside = (event) => {
    if (!menu.contains(event.target) && !anchor.contains(event.target)) close();
  };
  function close() {
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    open = null;
  }
  open = { close };
  document.addEventListener("pointerdown", outside, true);
  menu.addEventListener("keydown", (event) => steer(event, rows, () => (close(), anchor.focus())));
  (rows.find((r) => r.getAttribute("aria-checked") === "true") ?? rows[0])?.focus();
}

function row(item) {
  const checked = item.checked === undefined ? null : String(item.checked);
  const run = () => {
    closeMenu();
    item.run();
  };
  const attrs = { class: `menu-item${item.danger ? " danger" : ""}`, type: "button", role: checked === null ? "menuitem" : "menuitemradio" };
  return h("button", { ...attrs, "aria-checked": checked, tabindex: "-1", "data-testid": item.testid, on: { click: run } }, item.label);
}

function steer(event, rows, leave) {
  const at = rows.indexOf(document.activeElement);
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    rows[(target + rows.length) % rows.length]?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    leave();
  }
}

function place(menu, anchor) {
  const box = anchor.getBoundingClientRect();
  const [width, height] = [menu.offsetWidth, menu.offsetHeight];
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}
