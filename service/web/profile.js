// The profile: read, edit, lock, take along, have forgotten; and under which name.

import * as api from "./api.js";
import { button, h } from "./dom.js";
import { failed, loading, openSheet } from "./sheet.js";
import { key, save, setKey, state } from "./state.js";
import { t } from "./strings.js";

const KINDS = ["genre", "creator", "mood", "topic", "item", "domain"];

// Open the profile. `changed(kind)` is called when the list should be ranked anew ("taste"), or the person is another one ("user").
export async function openProfile({ changed, say }) {
  const { content, dialog } = openSheet("profile", t("profile"), loading());
  const box = h("div", { class: "profile" });
  await draw();

  async function draw(focus) {
    let known;
    try {
      known = await api.profile();
    } catch (failure) {
      content.replaceChildren(identity(), failed(failure));
      return;
    }
    const names = new Map(await Promise.all([...known.profile.likes, ...known.profile.dislikes].filter((taste) => taste.attribute === "item")
      .map((taste) => api.item(taste.value).then((item) => [taste.value, item.title], () => [taste.value, taste.value]))));
    const words = (taste) => (taste.attribute === "domain" ? t(taste.value) : names.get(taste.value) ?? taste.value);
    box.replaceChildren(identity(), tastes("likes", known.profile.likes, words), tastes("dislikes", known.profile.dislikes, words), ...[rules(known.profile.constraints)].filter(Boolean), adding(), data(known));
    content.replaceChildren(box);
    if (focus) (box.querySelector(focus) ?? box.querySelector("h3"))?.focus();
  }

  async function doing(work, focus) {
    try {
      await work();
      changed("taste");
      await draw(focus);
    } catch (failure) {
      box.querySelector(".notice")?.remove();
      box.querySelector(".adding").append(failed(failure));
    }
  }

  function identity() {
    const input = h("input", { id: "user-name", value: api.userId(), maxlength: 512, autocomplete: "off", spellcheck: "false", disabled: Boolean(api.who.user_id) });
    const change = (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (!name || name === state.user) return;
      state.user = name;
      save();
      changed("user");
      draw("#user-name");
    };
    return h("form", { class: "identity", onsubmit: change }, h("label", { for: "user-name" }, t("userTitle")),
      h("div", { class: "row" }, input, api.who.user_id ? null : h("button", { class: "plain" }, t("userChange"))),
      h("p", { class: "quiet" }, api.who.user_id ? t("userBound") : t("userText")),
      key() ? button(t("keyForget"), { class: "plain", onclick: () => { setKey(""); location.reload(); } }) : null);
  }

  function tastes(name, list, words) {
    const rows = list.map((taste) => {
      const value = words(taste);
      const lock = button(taste.locked ? t("unlockOf", { value }) : t("lockOf", { value }), { class: "icon-button", "aria-pressed": String(taste.locked), "aria-label": taste.locked ? t("unlockOf", { value }) : t("lockOf", { value }),
        "data-lock": `${taste.attribute}:${taste.value}`, onclick: () => doing(() => api.lockTaste(taste.attribute, taste.value, !taste.locked), `[data-lock="${CSS.escape(`${taste.attribute}:${taste.value}`)}"]`) }, taste.locked ? "lock" : "unlock");
      const remove = button(t("remove"), { class: "icon-button", "aria-label": t("removeOf", { value }), disabled: taste.locked, onclick: () => doing(() => api.editProfile("remove", taste.attribute, taste.value), `#tastes-${name}`) }, "close");
      return h("li", { class: taste.locked ? "taste locked" : "taste" }, h("span", { class: "taste-name" }, value), h("span", { class: "quiet" }, taste.locked ? `${t(taste.attribute)} · ${t("locked")}` : t(taste.attribute)), lock, remove);
    });
    return h("section", {}, h("h3", { id: `tastes-${name}`, tabindex: "-1" }, t(name)), rows.length ? h("ul", { class: "tastes" }, rows) : h("p", { class: "quiet" }, t("nothingYet")));
  }

  function rules(constraints) {
    const rows = Object.entries(constraints).map(([name, value]) => h("li", { class: "taste" }, h("span", { class: "taste-name" }, name.replaceAll("_", " ")), h("span", { class: "quiet" }, value)));
    return rows.length ? h("section", {}, h("h3", {}, t("rules")), h("ul", { class: "tastes" }, rows)) : null;
  }

  function adding() {
    const action = h("select", { id: "taste-action", "aria-label": t("addTaste") }, h("option", { value: "like" }, t("iLike")), h("option", { value: "dislike" }, t("iDislike")));
    const kind = h("select", { id: "taste-kind" }, KINDS.map((name) => h("option", { value: name }, t(name))));
    const value = h("input", { id: "taste-value", required: true, maxlength: 200, autocomplete: "off" });
    const add = (event) => {
      event.preventDefault();
      if (value.value.trim()) doing(() => api.editProfile(action.value, kind.value, value.value.trim()), "#taste-value");
    };
    return h("section", { class: "adding" }, h("h3", {}, t("addTaste")), h("form", { onsubmit: add }, h("div", { class: "row" }, action, h("label", { class: "sr", for: "taste-kind" }, t("attribute")), kind),
      h("div", { class: "row" }, h("label", { class: "sr", for: "taste-value" }, t("attribute")), value, h("button", { class: "primary" }, t("add")))));
  }

  function data(known) {
    const box = h("section", { class: "data" }, h("h3", { tabindex: "-1" }, t("yourData")), h("p", { class: "quiet" }, t("kept", { events: known.events, conversations: known.conversations })));
    const sure = h("div", { class: "notice bad", hidden: true }, h("p", {}, t("forgetSure", { user: api.userId() })),
      h("div", { class: "row" }, button(t("forgetYes"), { class: "danger", onclick: forget }), button(t("forgetNo"), { class: "plain", onclick: () => { sure.hidden = true; forgetButton.focus(); } })));
    const forgetButton = button(t("forget"), { class: "plain danger-text", onclick: () => { sure.hidden = false; sure.querySelector(".plain").focus(); } });
    box.append(h("div", { class: "row" }, button(t("export"), { class: "plain", onclick: takeAlong }), forgetButton), sure);
    return box;

    async function forget() {
      try {
        await api.forgetUser();
      } catch (failure) {
        if (failure.status !== 404) return void box.append(failed(failure));
      }
      say(t("forgotten", { user: api.userId() }));
      changed("forgotten");
      dialog.close();
    }
  }

  async function takeAlong() {
    try {
      const all = await api.exportUser();
      const address = URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: "application/json" }));
      h("a", { href: address, download: "scenewise-export.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
      say(t("exported"));
    } catch (failure) {
      box.querySelector(".data").append(failed(failure));
    }
  }
}
