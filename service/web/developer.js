// Behind a turn: what told the scene, the plan with what became of each call, where the time went, and the whole record.

import { h } from "./dom.js";
import { sceneName } from "./moment.js";
import { openSheet } from "./sheet.js";
import { t } from "./strings.js";

export function openDeveloper(record) {
  if (!record) return void openSheet("developer", t("developer"), h("p", { class: "quiet" }, t("noTurn")));
  const model = record.model ? `${record.model}, ${t("rounds", { n: record.llm_rounds, tokens: record.completion_tokens })}` : t("noLlm");
  openSheet("developer", t("developer"),
    h("p", { class: "quiet mono" }, `${record.intent} · ${record.scene ? `${sceneName(record.scene)} ${percent(record.scene_probability)} · ` : ""}${model}`),
    record.degraded.length ? h("div", { class: "notice warn" }, h("p", {}, record.degraded.join("; "))) : null,
    h("h3", {}, t("timings")), timings(record.timings_ms),
    h("h3", {}, t("calls")), record.plan.length ? plan(record.plan) : h("p", { class: "quiet" }, t("noTools")),
    record.signals.length ? [h("h3", {}, t("signals")), signals(record.signals)] : null,
    record.notes.length ? h("ul", { class: "rows" }, record.notes.map((note) => h("li", {}, note))) : null,
    h("details", { class: "evidence" }, h("summary", {}, t("record")), h("pre", { class: "record", tabindex: "0", role: "region", "aria-label": t("record") }, JSON.stringify(record, null, 2))));
}

const percent = (share) => `${Math.round(100 * share)}%`;

function bars(rows) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), 1e-9);
  return h("div", { class: "parts" }, rows.map(([name, value, words]) => {
    const bar = h("span", { class: value < 0 ? "bar less" : "bar" });
    bar.style.inlineSize = `${(100 * Math.abs(value)) / most}%`;
    return h("div", { class: "part" }, h("span", { class: "part-name" }, name), h("span", { class: "track" }, bar), h("span", { class: "part-value" }, words));
  }));
}

function timings(ms) {
  const steps = Object.entries(ms).filter(([name]) => name !== "total").map(([name, value]) => [t(name), value, t("ms", { n: Math.round(value) })]);
  return [bars(steps), h("p", { class: "quiet" }, `${t("total")}: ${t("ms", { n: Math.round(ms.total ?? 0) })}`)];
}

function signals(list) {
  const sorted = [...list].sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
  return bars(sorted.map(([name, value, share]) => [`${name}: ${value}`, share, `${share < 0 ? "−" : "+"}${percent(Math.abs(share))}`]));
}

function plan(calls) {
  return h("ol", { class: "calls" }, calls.map((call) => {
    const given = Object.entries(call.arguments).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length));
    const outcome = [t(call.status), call.candidates ? t("candidates", { n: call.candidates }) : "", call.ms ? t("ms", { n: Math.round(call.ms) }) : "", call.note].filter(Boolean).join(" · ");
    return h("li", { "data-status": call.status }, h("p", { class: "mono call" }, `${call.name}(${given.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")})`),
      h("p", { class: "quiet" }, `${t("askedBy")} ${call.asked_by} · ${outcome}`));
  }));
}
