/**
 * A list of messages that grows at both ends: newest below, older ones loaded on the way up.
 *
 * Nodes are patched one by one. A list that follows the newest message drops its oldest nodes beyond `KEPT`, so that
 * thousands of messages stay as quick as sixty.
 */

import { h } from "./dom.js";
import { continues, messageNode } from "./message.js";
import { dayName, momentOf, sameDay } from "./times.js";

const KEPT = 400;
const NEAR = 120;
const order = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

export class Timeline {
  /**
   * @param {HTMLElement} scroller
   * @param {{inThread?: boolean, older?: () => Promise<void>, followed?: (following: boolean) => void}} [ways]
   */
  constructor(scroller, ways = {}) {
    this.scroller = scroller;
    this.ways = ways;
    this.list = h("div", { class: "timeline", role: "log", "aria-label": "Messages", "aria-live": "off" });
    this.messages = [];
    this.nodes = new Map();
    this.hasMore = false;
    this.newFrom = "";
    this.loading = false;
    this.following = true;
    scroller.replaceChildren(this.list);
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // Pictures and opened details grow after they were drawn: stay at the newest message where the reader was there.
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.list);
    new ResizeObserver(() => this.following && this.toEnd()).observe(scroller);
  }

  /** Show these messages, oldest first, and nothing else. `newFrom` is the ts of the first unread one. */
  show(messages, { hasMore = false, newFrom = "", intro = null } = {}) {
    this.messages = [...messages].sort(order);
    this.hasMore = hasMore;
    this.newFrom = newFrom;
    this.intro = intro;
    this.draw();
    this.following = true;
    this.toEnd();
  }

  /** Put older messages above, without moving what the reader looks at. */
  prepend(messages, hasMore) {
    const known = new Set(this.messages.map((m) => m.ts));
    this.messages = [...messages.filter((m) => !known.has(m.ts)), ...this.messages].sort(order);
    this.hasMore = hasMore;
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.draw();
    this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
  }

  /** Add a message or put its new content in the old one's place. */
  put(message) {
    const at = this.messages.findIndex((m) => m.ts === message.ts);
    if (at >= 0) {
      this.messages[at] = message;
      this.redraw(at);
      this.redraw(at + 1);
      return;
    }
    if (this.hasMore && this.messages.length && message.ts < this.messages[0].ts) return;
    const where = this.messages.findIndex((m) => m.ts > message.ts);
    if (where < 0) this.messages.push(message);
    else this.messages.splice(where, 0, message);
    this.insert(where < 0 ? this.messages.length - 1 : where);
    if (this.following) this.trim();
    if (this.following) this.toEnd();
  }

  /** Take a message away. */
  remove(ts) {
    const at = this.messages.findIndex((m) => m.ts === ts);
    if (at < 0) return;
    this.messages.splice(at, 1);
    this.nodes.get(ts)?.remove();
    this.nodes.delete(ts);
    this.redraw(at);
  }

  has(ts) {
    return this.nodes.has(ts);
  }

  get(ts) {
    return this.messages.find((m) => m.ts === ts);
  }

  get newest() {
    return this.messages.at(-1)?.ts ?? "";
  }

  get oldest() {
    return this.messages[0]?.ts ?? "";
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  draw() {
    this.nodes.clear();
    const drawn = this.messages.map((_, at) => this.build(at));
    this.list.replaceChildren(...(this.intro && !this.hasMore ? [this.intro] : []), ...drawn);
  }

  /** Build the message at this place, with the lines that stand above it. */
  build(at) {
    const message = this.messages[at];
    const before = this.messages[at - 1];
    const newDay = !before || !sameDay(momentOf(before.ts), momentOf(message.ts));
    const isNew = message.ts === this.newFrom;
    const lines = [
      newDay && !this.ways.inThread ? h("div", { class: "day", role: "separator" }, h("span", { text: dayName(momentOf(message.ts)) })) : null,
      isNew ? h("div", { class: "new-line", role: "separator", "data-testid": "new-line" }, h("span", { text: "New" })) : null,
    ];
    const grouped = !newDay && !isNew && continues(message, before) && !(this.ways.inThread && at === 1);
    const under = this.ways.inThread && at === 0 && message.reply_count ? this.replyLine(message.reply_count) : null;
    const row = h("div", { class: "row" }, lines, messageNode(message, { grouped, inThread: this.ways.inThread }), under);
    this.nodes.set(message.ts, row);
    return row;
  }

  replyLine(count) {
    return h("div", { class: "reply-line", role: "separator" }, h("span", { text: `${count} ${count === 1 ? "reply" : "replies"}` }));
  }

  insert(at) {
    const next = this.messages[at + 1];
    const row = this.build(at);
    row.classList.add("arrived");
    if (next) this.nodes.get(next.ts).before(row);
    else this.list.append(row);
    this.redraw(at + 1);
  }

  redraw(at) {
    const message = this.messages[at];
    const old = message && this.nodes.get(message.ts);
    if (!old) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("data-action-id") : null;
    const row = this.build(at);
    old.replaceWith(row);
    if (focused) row.querySelector(`[data-action-id="${CSS.escape(focused)}"]`)?.focus();
  }

  trim() {
    if (this.ways.inThread || this.messages.length <= KEPT) return;
    const gone = this.messages.splice(0, this.messages.length - KEPT / 2);
    for (const message of gone) {
      this.nodes.get(message.ts)?.remove();
      this.nodes.delete(message.ts);
    }
    this.intro?.remove();
    this.hasMore = true;
    this.redraw(0);
  }

  async scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const following = scrollHeight - scrollTop - clientHeight < NEAR;
    if (following !== this.following) {
      this.following = following;
      this.ways.followed?.(following);
    }
    if (scrollTop > 300 || !this.hasMore || this.loading || !this.ways.older) return;
    this.loading = true;
    await this.ways.older().finally(() => (this.loading = false));
  }
}
