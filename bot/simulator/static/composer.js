/** Where a person writes: Enter sends, Shift+Enter breaks the line, "/", "@" and ":" offer completions. */

import { completions } from "./completion.js";
import { h, icon } from "./dom.js";
import { openMenu } from "./menus.js";
import { emoji, EMOJI } from "./emoji.js";
import { byId } from "./dom.js";
import { emit, state } from "./state.js";

let count = 0;

export class Composer {
  /**
   * @param {HTMLElement} root
   * @param {{send: (text: string) => Promise<any>, testid: string}} ways
   */
  constructor(root, ways) {
    this.ways = ways;
    this.drafts = new Map();
    this.key = "";
    this.found = [];
    this.at = 0;
    this.popId = `completions-${(count += 1)}`;
    this.error = h("div", { class: "composer-error", role: "alert", hidden: true, "data-testid": `${ways.testid}-error` });
    this.pop = h("div", { class: "completions", id: this.popId, role: "listbox", "aria-label": "Completions", hidden: true, "data-testid": `${ways.testid}-completions` });
    this.area = h("textarea", { rows: "1", "data-testid": ways.testid, "aria-autocomplete": "list", "aria-controls": this.popId, "aria-expanded": "false", role: "combobox", "aria-haspopup": "listbox", spellcheck: "true" });
    this.button = h("button", { class: "send", type: "button", "aria-label": "Send", title: "Send", disabled: true, "data-testid": `${ways.testid}-send`, on: { click: () => this.send() } }, icon("send"));
    const insert = (sign, label) => h("button", { class: "tool", type: "button", title: label, "aria-label": label, text: sign, on: { click: () => this.insert(sign) } });
    const smile = h("button", { class: "tool", type: "button", title: "Emoji", "aria-label": "Emoji", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.emojiMenu(smile) } }, icon("smile"));
    const bar = h("div", { class: "composer-bar" }, insert("/", "Slash command"), insert("@", "Mention someone"), smile, h("span", { class: "composer-hint", text: "Shift + Enter for a new line" }), this.button);
    root.replaceChildren(this.error, this.pop, h("div", { class: "composer-box" }, this.area, bar));
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("keydown", (event) => this.keyed(event));
    this.area.addEventListener("blur", () => setTimeout(() => this.hidePop(), 150));
  }

  /** Write into another place; what was typed there before comes back. */
  place(name, key, words = `Message ${name}`) {
    if (this.key === key) return;
    this.drafts.set(this.key, this.area.value);
    this.key = key;
    this.area.placeholder = words;
    this.area.setAttribute("aria-label", words);
    this.area.value = this.drafts.get(key) ?? "";
    this.fail("");
    this.typed();
    this.hidePop();
  }

  focus() {
    // A keyboard that slides over half of a phone's screen must be asked for.
    if (matchMedia("(pointer: fine)").matches) this.area.focus({ preventScroll: true });
  }

  insert(words) {
    const { value, selectionStart: at } = this.area;
    const gap = words.startsWith("/") || !value.slice(0, at) || /\s$/.test(value.slice(0, at)) ? "" : " ";
    this.area.value = words === "/" ? `/${value}` : value.slice(0, at) + gap + words + value.slice(at);
    this.area.focus();
    const end = words === "/" ? 1 : at + gap.length + words.length;
    this.area.setSelectionRange(end, end);
    this.typed();
  }

  emojiMenu(anchor) {
    const common = [...EMOJI.keys()].slice(0, 240).filter((_, index) => index % 4 === 0);
    openMenu(anchor, common.map((name) => ({ label: [emoji(name), h("span", { class: "sr-only", text: name })], run: () => this.insert(`:${name}: `) })), { class: "menu-emoji", label: "Emoji" });
  }

  typed() {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(200, this.area.scrollHeight)}px`;
    this.button.disabled = !this.area.value.trim();
    this.fail("");
    this.found = completions(this.area.value, this.area.selectionStart);
    this.at = 0;
    this.drawPop();
  }

  drawPop() {
    const open = this.found.length > 0 && document.activeElement === this.area;
    this.pop.hidden = !open;
    this.area.setAttribute("aria-expanded", String(open));
    if (!open) return this.area.removeAttribute("aria-activedescendant");
    const rows = this.found.map((one, index) => {
      const chosen = index === this.at;
      const row = h("div", { class: `completion${chosen ? " chosen" : ""}`, id: `${this.popId}-${index}`, role: "option", "aria-selected": String(chosen), "data-testid": "completion", on: { pointerdown: (event) => (event.preventDefault(), this.take(index)) } }, one.nodes());
      return row;
    });
    this.pop.replaceChildren(h("div", { class: "completions-head", text: this.found[0].kind }), ...rows, h("div", { class: "completions-foot", text: "↑ ↓ to move · Tab or Enter to choose · Esc to dismiss" }));
    this.area.setAttribute("aria-activedescendant", `${this.popId}-${this.at}`);
    rows[this.at].scrollIntoView({ block: "nearest" });
    return undefined;
  }

  hidePop() {
    this.found = [];
    this.drawPop();
  }

  take(index) {
    const one = this.found[index];
    this.area.value = one.value + this.area.value.slice(this.area.selectionStart);
    this.area.setSelectionRange(one.value.length, one.value.length);
    this.area.focus();
    this.typed();
  }

  keyed(event) {
    if (event.isComposing) return;
    if (this.found.length && this.steer(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
    return undefined;
  }

  /** Move in the completions; returns true when the key was meant for them. */
  steer(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.drawPop();
      return true;
    }
    if (event.key === "Escape") {
      this.hidePop();
      return true;
    }
    const whole = this.found[this.at].value.trim() === this.area.value.trim();
    if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !whole)) {
      this.take(this.at);
      return true;
    }
    return false;
  }

  async send() {
    const text = this.area.value.trim();
    if (!text) return;
    const key = this.key;
    this.area.value = "";
    this.typed();
    this.hidePop();
    const answer = await this.ways.send(text);
    if (answer.ok) return emit("said", { user: state.me?.id });
    if (this.key === key && !this.area.value) {
      this.area.value = text;
      this.typed();
      this.hidePop();
    }
    this.fail(answer.text || answer.error || "That was not sent.");
    byId("spoken").textContent = "Not sent.";
    return undefined;
  }

  fail(text) {
    this.error.hidden = !text;
    this.error.replaceChildren(...(text ? [h("span", { "aria-hidden": "true", text: "⚠ " }), text] : []));
  }
}
