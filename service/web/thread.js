// What is said: a bubble for the person, an answer for the agent, with its progress, its troubles and the way on.

import { button, h, icon } from "./dom.js";
import { sceneName } from "./moment.js";
import { t } from "./strings.js";

const STEPS = ["perceive", "plan", "act", "rank", "compose", "verify"];

// The opening of a reply; the lines about items are on their cards.
export function opening(record) {
  return record.items.length && record.intent !== "explain" ? record.reply.split("\n")[0].replace(/[:：]$/, "") : record.reply;
}

export function drawEntry(entry, { again, show, shown, latest }) {
  const bubble = entry.kind === "chat" ? h("div", { class: "said" }, h("span", { class: "sr" }, `${t("you")}: `), h("p", {}, entry.shown)) : null;
  return h("li", { class: "entry", id: `entry-${entry.id}`, "data-state": stateOf(entry) }, bubble, h("div", { class: "answer" }, answer(entry, { again, show, shown, latest })));
}

function stateOf(entry) {
  return entry.controller ? "running" : entry.trouble ? entry.trouble.kind : entry.record ? "done" : "reading";
}

function answer(entry, { again, show, shown, latest }) {
  const { record } = entry;
  const parts = [];
  if (entry.note) parts.push(h("p", { class: "note" }, icon("retry"), h("span", {}, t(entry.note.name, { title: entry.note.title }))));
  if (entry.controller) {
    parts.push(entry.words ? h("p", { class: "reply partial" }, entry.words.split("\n")[0]) : null, progress(entry.step));
  } else if (record) {
    parts.push(...opening(record).split("\n").map((line) => h("p", { class: "reply" }, line)));
    if (record.degraded.length && record.model) parts.push(notice("warn", t("degraded", { why: [...new Set(record.degraded.map((why) => t(why)))].join("; ") })));
    else if (record.degraded.length) parts.push(h("p", { class: "note" }, h("span", {}, t("noModel"))));
    if (record.items.length && record.intent !== "explain") {
      const words = record.scene ? t("itemsFor", { n: record.items.length, scene: sceneName(record.scene) }) : t("items", { n: record.items.length });
      parts.push(h("button", { type: "button", class: "list-link", "aria-pressed": shown ? "true" : "false", onclick: show, "aria-label": `${t("showList")}: ${words}` },
        h("span", {}, words), h("span", { class: "list-state" }, shown ? t("shown") : t("showList"))));
      if (shown && !latest) parts.push(h("p", { class: "note" }, t("earlier")));
    }
  }
  if (entry.trouble) parts.push(trouble(entry, again));
  if (stateOf(entry) === "reading") parts.push(h("p", { class: "note" }, t("loading")));
  return parts.filter(Boolean);
}

function progress(step) {
  const at = STEPS.indexOf(step);
  // A step that has ended has been told; the one after it is what goes on.
  const now = STEPS[Math.min(at + (step === "perceive" && at === 0 ? 0 : 1), STEPS.length - 1)];
  return h("div", { class: "progress" }, h("span", { class: "pulse", "aria-hidden": "true" }), h("span", { class: "step" }, t(now)),
    h("span", { class: "dots", "aria-hidden": "true" }, STEPS.map((name, i) => h("i", { class: i <= at ? "done" : "" }))));
}

export function troubleWords({ kind, message, afterS }) {
  if (kind === "busy") return t("busy", { n: afterS });
  return kind === "refused" ? t("failed", { message }) : kind === "key" ? t("keyTitle") : t(kind);
}

function trouble(entry, again) {
  const { kind } = entry.trouble;
  return h("div", { class: `notice ${kind === "stopped" || kind === "unfinished" ? "calm" : "bad"}` }, h("p", {}, troubleWords(entry.trouble)),
    button(t("again"), { class: "retry", onclick: again }, "retry"));
}

export function notice(kind, words) {
  return h("div", { class: `notice ${kind}` }, h("p", {}, words));
}
