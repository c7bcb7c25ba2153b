// What lies around an item, as a picture and in words. Items in it can be chosen to go on from there.

import * as api from "./api.js";
import { h, s } from "./dom.js";
import { failed, loading, openSheet } from "./sheet.js";
import { t } from "./strings.js";

const KINDS = ["item", "genre", "creator", "mood", "topic", "scene", "domain", "actor"];
const kindOf = (kind) => (KINDS.includes(kind) ? kind : "other");

export async function openGraph(itemId, title) {
  const { content, heading } = openSheet("graph", title, loading());
  await draw(itemId, title, false);

  async function draw(id, name, move) {
    const narrow = innerWidth < 640;
    heading.textContent = name;
    content.replaceChildren(loading());
    let picture;
    try {
      picture = await api.graph(id, narrow ? 14 : 30);
    } catch (failure) {
      content.replaceChildren(failure.status === 404 ? h("p", { class: "quiet" }, t("graphNone")) : failed(failure));
      return;
    }
    if (move) heading.focus();
    if (picture.nodes.length < 2) return void content.replaceChildren(h("p", { class: "quiet" }, t("graphNone")));
    const go = (node) => draw(node.id.slice("item:".length), node.label, true);
    const size = narrow ? { width: 360, height: 520, side: 52, top: 36, longest: 14, beside: false } : { width: 760, height: 640, side: 165, top: 40, longest: 23, beside: true };
    content.replaceChildren(h("p", { class: "quiet" }, t("graphText")), drawing(picture, name, go, size), inWords(picture, go));
  }
}

// Where each node stands: the first in the middle, its neighbours on a ring in order of kind, the others on an outer ring, each as near
// as may be to the neighbour that it hangs on.
function placed({ nodes, edges }, { width, height, side, top }) {
  const [centre, ...rest] = nodes;
  const near = new Set(edges.flatMap((edge) => (edge.source === centre.id ? [edge.target] : edge.target === centre.id ? [edge.source] : [])));
  const inner = rest.filter((node) => near.has(node.id)).sort((a, b) => a.kind.localeCompare(b.kind) || a.label.localeCompare(b.label));
  const turn = new Map(inner.map((node, i) => [node.id, i / inner.length]));
  const hangs = (node) => Math.min(...edges.flatMap((edge) => (edge.source === node.id ? [turn.get(edge.target)] : edge.target === node.id ? [turn.get(edge.source)] : [])).filter((at) => at !== undefined), 1);
  const outer = rest.filter((node) => !near.has(node.id)).map((node) => [hangs(node), node]).sort((a, b) => a[0] - b[0]).map(([, node]) => node);
  const places = new Map([[centre.id, { x: width / 2, y: height / 2, side: 0 }]]);
  const ring = (list, share, shift) => list.forEach((node, i) => {
    const angle = 2 * Math.PI * ((i + shift) / list.length) - Math.PI / 2;
    places.set(node.id, { x: width / 2 + Math.cos(angle) * share * (width / 2 - side), y: height / 2 + Math.sin(angle) * share * (height / 2 - top), side: Math.cos(angle) });
  });
  ring(inner, outer.length ? 0.5 : 0.85, 0);
  ring(outer, 1, 0.5);
  return places;
}

function drawing(picture, title, go, size) {
  const { nodes, edges } = picture;
  const [centre, ...rest] = nodes;
  const places = placed(picture, size);
  const lines = edges.map((edge) => {
    const from = places.get(edge.source), to = places.get(edge.target);
    const near = edge.source === centre.id || edge.target === centre.id;
    return s("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: near ? "edge" : "edge far", "stroke-width": 0.8 + edge.weight }, s("title", {}, edge.relation.replaceAll("_", " ")));
  });
  const dots = [...rest, centre].map((node) => dot(node, places.get(node.id), node === centre, go, size));
  return s("svg", { viewBox: `0 0 ${size.width} ${size.height}`, class: "graph", role: "group", "aria-label": t("graphPicture", { n: rest.length, title }) }, lines, dots);
}

function dot(node, { x, y, side }, chosen, go, { longest, beside }) {
  const label = node.label.length > longest ? `${node.label.slice(0, longest - 1)}…` : node.label;
  const item = node.kind === "item" && !chosen;
  const onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    go(node);
  };
  const open = item ? { tabindex: "0", role: "button", "aria-label": t("graphOf", { title: node.label }), onclick: () => go(node), onkeydown } : {};
  const where = beside && !chosen && Math.abs(side) > 0.12 ? { x: side > 0 ? 12 : -12, y: 4, "text-anchor": side > 0 ? "start" : "end" } : { y: chosen ? -20 : -12, "text-anchor": "middle" };
  return s("g", { class: `node ${chosen ? "centre" : ""} ${item ? "link" : ""}`, "data-kind": kindOf(node.kind), transform: `translate(${x} ${y})`, ...open },
    s("title", {}, `${node.kind}: ${node.label}`), s("circle", { r: chosen ? 13 : item ? 8 : 6 }), s("text", where, label));
}

function inWords({ nodes, edges }, go) {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const end = (id) => {
    const node = known.get(id);
    return node.kind === "item" && node !== nodes[0] ? h("button", { type: "button", class: "plain-link", onclick: () => go(node) }, node.label) : h("span", {}, node.label);
  };
  return h("details", { class: "evidence" }, h("summary", {}, t("graphList"), h("span", { class: "count" }, String(edges.length))),
    h("ul", { class: "facts-list" }, edges.map((edge) => h("li", {}, end(edge.source), h("span", { class: "quiet" }, ` ${edge.relation.replaceAll("_", " ")} `), end(edge.target), h("span", { class: "quiet" }, ` (${edge.origin})`)))));
}
