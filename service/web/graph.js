// What lies around an item, as a picture and in words. Items in it can be chosen to go on from there.

import * as api from "./api.js";
import { h, s } from "./dom.js";
import { failed, loading, openSheet } from "./sheet.js";
import { t } from "./strings.js";

const WIDTH = 640, HEIGHT = 560, LONGEST = 22;

export async function openGraph(itemId, title) {
  const { content, heading } = openSheet("graph", title, loading());
  await draw(itemId, title, false);

  async function draw(id, name, move) {
    heading.textContent = name;
    content.replaceChildren(loading());
    let picture;
    try {
      picture = await api.graph(id);
    } catch (failure) {
      content.replaceChildren(failure.status === 404 ? h("p", { class: "quiet" }, t("graphNone")) : failed(failure));
      return;
    }
    if (move) heading.focus();
    if (picture.nodes.length < 2) return void content.replaceChildren(h("p", { class: "quiet" }, t("graphNone")));
    const go = (node) => draw(node.id.slice("item:".length), node.label, true);
    content.replaceChildren(h("p", { class: "quiet" }, t("graphText")), drawing(picture, name, go), inWords(picture, go));
  }
}

// Nodes on two rings around the first one, those of a kind beside each other.
function drawing({ nodes, edges }, title, go) {
  const [centre, ...rest] = nodes;
  const around = [...rest].sort((a, b) => a.kind.localeCompare(b.kind) || a.label.localeCompare(b.label));
  const places = new Map([[centre.id, [WIDTH / 2, HEIGHT / 2]]]);
  around.forEach((node, i) => {
    const angle = (2 * Math.PI * i) / around.length - Math.PI / 2;
    const far = around.length > 12 && i % 2 ? 1 : 0.68;
    places.set(node.id, [WIDTH / 2 + Math.cos(angle) * far * (WIDTH / 2 - 84), HEIGHT / 2 + Math.sin(angle) * far * (HEIGHT / 2 - 40)]);
  });
  const lines = edges.filter((edge) => places.has(edge.source) && places.has(edge.target)).map((edge) => {
    const [x1, y1] = places.get(edge.source), [x2, y2] = places.get(edge.target);
    const near = edge.source === centre.id || edge.target === centre.id;
    return s("line", { x1, y1, x2, y2, class: near ? "edge" : "edge far", "stroke-width": 0.8 + edge.weight }, s("title", {}, edge.relation.replaceAll("_", " ")));
  });
  const dots = [...around, centre].map((node) => {
    const [x, y] = places.get(node.id);
    const label = node.label.length > LONGEST ? `${node.label.slice(0, LONGEST - 1)}…` : node.label;
    const chosen = node === centre, item = node.kind === "item" && !chosen;
    const open = item ? { tabindex: "0", role: "button", "aria-label": t("graphOf", { title: node.label }), onclick: () => go(node), onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(node); } } } : {};
    return s("g", { class: `node ${chosen ? "centre" : ""} ${item ? "link" : ""}`, "data-kind": kindOf(node.kind), transform: `translate(${x} ${y})`, ...open },
      s("title", {}, `${node.kind}: ${node.label}`), s("circle", { r: chosen ? 13 : item ? 8 : 6 }), s("text", { y: chosen ? -20 : -12, "text-anchor": "middle" }, label));
  });
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "graph", role: "group", "aria-label": t("graphPicture", { n: rest.length, title }) }, lines, dots);
}

const KINDS = ["item", "genre", "creator", "mood", "topic", "scene", "domain", "actor"];
const kindOf = (kind) => (KINDS.includes(kind) ? kind : "other");

function inWords({ nodes, edges }, go) {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const name = (id) => known.get(id)?.label ?? id;
  const end = (id) => {
    const node = known.get(id);
    return node?.kind === "item" && node !== nodes[0] ? h("button", { type: "button", class: "plain-link", onclick: () => go(node) }, node.label) : h("span", {}, name(id));
  };
  return h("details", { class: "evidence" }, h("summary", {}, t("graphList"), h("span", { class: "count" }, String(edges.length))),
    h("ul", { class: "facts-list" }, edges.map((edge) => h("li", {}, end(edge.source), h("span", { class: "quiet" }, ` ${edge.relation.replaceAll("_", " ")} `), end(edge.target), h("span", { class: "quiet" }, ` (${edge.origin})`)))));
}
