/** What stands in front of everything else: confirm dialogs, a picture at full size, short notices. */

import { byId, h, icon } from "./dom.js";
import { textObject } from "./mrkdwn.js";

const NOTICE_MS = 6000;

/**
 * Ask Slack's question before a click counts.
 * @param {any} asked a confirm object
 * @returns {Promise<boolean>} true when the person agreed
 */
export function confirmed(asked) {
  return new Promise((resolve) => {
    const style = asked.style === "danger" ? "btn-danger" : "btn-primary";
    const no = h("button", { class: "btn", type: "button", "data-testid": "confirm-deny", on: { click: () => dialog.close("no") } }, asked.deny ? textObject(asked.deny) : "Cancel");
    const yes = h("button", { class: `btn ${style}`, type: "button", "data-testid": "confirm-yes", on: { click: () => dialog.close("yes") } }, asked.confirm ? textObject(asked.confirm) : "Yes");
    const title = h("h2", { id: "confirm-title", class: "dialog-title" }, textObject(asked.title));
    const dialog = h(
      "dialog",
      { class: "dialog dialog-small", "aria-labelledby": "confirm-title", "data-testid": "confirm" },
      h("header", { class: "dialog-head" }, title),
      h("div", { class: "dialog-body" }, textObject(asked.text)),
      h("footer", { class: "dialog-foot" }, no, yes),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}

/** Show a picture as large as the window allows. */
export function zoom(url, alt) {
  const close = h("button", { class: "icon-btn zoom-close", type: "button", "aria-label": "Close picture", on: { click: () => dialog.close() } }, icon("close", 22));
  const dialog = h("dialog", { class: "zoom", "aria-label": alt || "Picture", on: { click: () => dialog.close() } }, close, h("img", { src: url, alt }), alt ? h("p", { text: alt }) : null);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Show one sentence for a few seconds. */
export function notice(text) {
  const node = h("div", { class: "toast", role: "status", "data-testid": "toast", text });
  byId("toasts").append(node);
  setTimeout(() => node.remove(), NOTICE_MS);
}
