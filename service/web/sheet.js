// A sheet at the side: a modal <dialog>, so that focus stays in it, Escape closes it, and focus goes back to where it came from.

import { button, h } from "./dom.js";
import { t } from "./strings.js";

export function openSheet(name, title, ...body) {
  const heading = h("h2", { id: `sheet-${name}`, tabindex: "-1" }, title);
  const content = h("div", { class: "sheet-body" }, body);
  const dialog = h("dialog", { class: "sheet", "data-sheet": name, "aria-labelledby": heading.id },
    h("header", { class: "sheet-head" }, heading, button(t("close"), { class: "icon-button", onclick: () => dialog.close(), "aria-label": t("close") }, "close")), content);
  const opener = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (opener?.isConnected) opener.focus();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return { dialog, content, heading };
}

export function loading() {
  return h("p", { class: "quiet loading", role: "status" }, t("loading"));
}

export function failed(failure) {
  return h("div", { class: "notice bad", role: "alert" }, h("p", {}, failure.kind === "dropped" ? t("offline") : t("failed", { message: failure.message })));
}
