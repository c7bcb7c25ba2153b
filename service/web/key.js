// The entry for a key, where the server asks for one. It goes into sessionStorage and nowhere else.

import { h } from "./dom.js";
import { key, setKey } from "./state.js";
import { t } from "./strings.js";

let open = null;
let waiting = [];

// Ask for a key, once for all who want one; each `then` is called when there is one.
export function askKey(then) {
  waiting.push(then);
  if (open) return;
  const input = h("input", { id: "key", type: "password", required: true, autocomplete: "off", spellcheck: "false" });
  const use = (event) => {
    event.preventDefault();
    setKey(input.value.trim());
    const all = waiting;
    waiting = [];
    open.close();
    for (const one of all) one();
  };
  open = h("dialog", { class: "ask", "aria-labelledby": "key-title" }, h("form", { onsubmit: use },
    h("h2", { id: "key-title" }, t("keyTitle")), h("p", { class: "quiet" }, t("keyText")),
    key() ? h("p", { class: "notice bad", role: "alert" }, t("keyWrong")) : null,
    h("label", { for: "key" }, t("key")), input, h("button", { class: "primary" }, t("keyUse"))));
  open.addEventListener("close", () => { open.remove(); open = null; });
  document.body.append(open);
  open.showModal();
  input.focus();
}
