// The list as cards: cover or picture, title, copy, reason, evidence on demand, and what one can say of an item.

import * as api from "./api.js";
import { button, cover, h, icon, pictureAddress } from "./dom.js";
import { t } from "./strings.js";

// Draw a turn's list into `box`. `act(name, item, place)` is called for a card's buttons; `acts` False leaves out those that need the
// latest list.
export function drawCards(box, entry, { act, acts }) {
  const items = entry.record.items;
  box.replaceChildren(...items.map((item, i) => h("li", {}, card(item, i + 1, { act, acts, turn: entry.record }))));
}

function card(item, place, { act, acts, turn }) {
  const title = h("h3", { id: `card-${turn.turn_id}-${place}` }, item.title);
  const picture = h("div", { class: "picture" }, cover(item.item_id, item.domain));
  const facts = h("p", { class: "facts" }, t(item.domain));
  const values = { title: item.title };
  // A template's sentence often ends in the reason: it is not said twice.
  const reason = item.copy.toLowerCase().includes(item.reason.toLowerCase()) ? "" : item.reason[0].toUpperCase() + item.reason.slice(1);
  const action = (name) => button(t(name), { class: "act", "data-act": name, "aria-label": t(`${name}Of`, values), onclick: () => act(name, item, place) }, name);
  api.item(item.item_id).then((known) => {
    facts.replaceChildren(factsOf(item, known));
    showPicture(picture, known.media);
  }, () => {});
  return h("article", { class: "card", "aria-labelledby": title.id, "data-item": item.item_id },
    picture,
    h("div", { class: "card-body" },
      facts, title,
      item.copy ? h("p", { class: "copy" }, item.copy) : null,
      reason ? h("p", { class: "reason" }, icon("spark"), h("span", {}, reason)) : null),
    h("div", { class: "card-foot" },
      h("div", { class: "acts" }, acts ? ["more", "not", "seen", "why"].map(action) : null, action("graph")),
      evidence(item)));
}

function factsOf(item, known) {
  const facts = [t(item.domain)];
  if (known.year) facts.push(String(known.year));
  const minutes = Math.round(known.duration_min ?? 0);
  if (minutes) facts.push(minutes < 60 ? t("min", { n: minutes }) : minutes % 60 ? t("hours", { h: Math.floor(minutes / 60), m: minutes % 60 }) : t("hours", { h: minutes / 60, m: 0 }));
  const maker = known.attributes?.creator ?? known.attributes?.artist ?? [];
  if (maker.length) facts.push(maker.slice(0, 2).join(", "));
  return facts.join(" · ");
}

// The first picture whose address may be loaded; where none can be, the cover stays.
function showPicture(box, media) {
  const address = (media ?? []).map(pictureAddress).find(Boolean);
  if (!address) return;
  const image = h("img", { src: address, alt: "", decoding: "async", referrerpolicy: "no-referrer", width: 100, height: 140 });
  image.addEventListener("load", () => box.replaceChildren(image));
}

function evidence(item) {
  const rows = new Map(item.evidence);
  const claims = item.claims.map(([words, ids]) => h("li", {}, h("span", { class: "claim" }, words), h("span", { class: "proof" }, ids.map((id) => rows.get(id) ?? id).join("; "))));
  const details = h("details", { class: "evidence" }, h("summary", {}, t("evidence"), h("span", { class: "count" }, String(item.evidence.length))),
    h("div", { class: "evidence-body" },
      h("p", { class: "quiet" }, item.copy_source === "model" ? t("byModel") : t("byTemplate")),
      claims.length ? [h("h4", {}, t("claims")), h("ul", { class: "claims" }, claims)] : null,
      h("h4", {}, t("rows")), h("dl", { class: "rows" }, item.evidence.map(([id, text]) => h("div", {}, h("dt", {}, id.replaceAll("_", " ")), h("dd", {}, text)))),
      h("h4", {}, t("scoreParts")), scoreParts(item)));
  return details;
}

function scoreParts(item) {
  const parts = Object.entries(item.contributions).filter(([name, value]) => name !== "bias" && Math.abs(value) >= 0.005).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const most = Math.max(...parts.map(([, value]) => Math.abs(value)), 1e-9);
  return h("div", { class: "parts" },
    parts.map(([name, value]) => {
      const words = t(`source ${name}`), known = words !== `source ${name}`;
      const bar = h("span", { class: value < 0 ? "bar less" : "bar" });
      bar.style.inlineSize = `${(100 * Math.abs(value)) / most}%`;
      return h("div", { class: "part" }, h("span", { class: "part-name" }, known ? words : name.replaceAll("_", " ")), h("span", { class: "track" }, bar), h("span", { class: "part-value" }, `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`));
    }),
    h("p", { class: "quiet" }, t("score", { score: `${Math.round(100 * item.score)}%` })));
}

export function drawSkeleton(box) {
  box.replaceChildren(...Array.from({ length: 4 }, () => h("li", { class: "skeleton", "aria-hidden": "true" }, h("div", { class: "picture" }), h("div", { class: "card-body" }, h("i"), h("i"), h("i")))));
}
