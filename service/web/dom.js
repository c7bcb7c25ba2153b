// Elements are built here and nowhere else. Strings become text nodes: nothing that an item or a person says is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

const ICONS = {
  more: "M12 5v14M5 12h14", not: "M6 6l12 12M18 6L6 18", seen: "M5 12.5l4.5 4.5L19 7.5",
  why: "M9.2 9a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.1.9-1.1 1.9M12 17.2v.1", graph: "M6 4.5a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 0 1 0-4.4zM18.5 6a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 0 1 0-4.4zM10.5 15.5a2.2 2.2 0 1 1 0 4.4a2.2 2.2 0 0 1 0-4.4zM8.2 7.1l8.1.7M7 8.8l2.6 6.8M16.8 9.9l-4.7 6",
  send: "M12 19V5M6 11l6-6 6 6", stop: "M8 8h8v8H8z", user: "M12 4.5a3.75 3.75 0 1 1 0 7.5a3.75 3.75 0 0 1 0-7.5zM4.75 20c.9-3.7 3.6-5.5 7.25-5.5s6.35 1.8 7.25 5.5",
  code: "M9 8l-4 4 4 4M15 8l4 4-4 4", plus: "M12 5v14M5 12h14", theme: "M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8z", close: "M6 6l12 12M18 6L6 18",
  lock: "M7 11V8.5a5 5 0 0 1 10 0V11M6 11h12v8.5H6z", unlock: "M7 11V8.5a5 5 0 0 1 9.6-2M6 11h12v8.5H6z", retry: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  spark: "M12 4l1.7 5.3L19 11l-5.3 1.7L12 18l-1.7-5.3L5 11l5.3-1.7z",
  movies: "M4 6h16v12H4zM8 6v12M16 6v12M4 10h4M4 14h4M16 10h4M16 14h4", music: "M9 17a2.3 2.3 0 1 1-.1-.2V6l10-2v11a2.3 2.3 0 1 1-.1-.2",
  books: "M12 7c-2-1.6-4.5-2-8-2v13c3.5 0 6 .4 8 2 2-1.6 4.5-2 8-2V5c-3.5 0-6 .4-8 2zM12 7v13", recipes: "M5 11h14a7 7 0 0 1-14 0zM9 8c0-1.5 1-1.5 1-3M14 8c0-1.5 1-1.5 1-3",
  apps: "M5 5h6v6H5zM13 5h6v6h-6zM5 13h6v6H5zM13 13h6v6h-6z", courses: "M3 9l9-4 9 4-9 4zM7 11v5c3 2 7 2 10 0v-5M21 9v5", workouts: "M4 9v6M7 7v10M17 7v10M20 9v6M7 12h10",
  thing: "M12 4l7 4v8l-7 4-7-4V8zM5 8l7 4 7-4M12 12v8",
};

export function icon(name) {
  const path = s("path", { d: ICONS[name] ?? ICONS.thing, fill: "none", stroke: "currentColor", "stroke-width": "1.7", "stroke-linecap": "round", "stroke-linejoin": "round" });
  return s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, path);
}

export function button(words, attributes, name) {
  return h("button", { type: "button", ...attributes }, name ? icon(name) : null, h("span", {}, words));
}

// A picture's address that may be loaded: https, or a path on this server. Anything else (javascript:, data:, //host) is none.
export function pictureAddress(address) {
  if (typeof address !== "string" || /[\u0000-\u0020\\]/.test(address) || address.startsWith("//")) return null;
  if (/^https:\/\/[^/]/i.test(address)) return address;
  return /^[\w./-]/.test(address) && !/^[^/?#]*:/.test(address) ? new URL(address, location.origin).href : null;
}

const KINDS = new Set(["movies", "music", "books", "recipes", "apps", "courses", "workouts"]);

// A cover for what has no picture: a few shapes, always the same ones for the same item.
export function cover(itemId, domain) {
  let seed = 2166136261;
  for (const letter of itemId) seed = Math.imul(seed ^ letter.codePointAt(0), 16777619) >>> 0;
  const next = (most) => { seed = Math.imul(seed ^ (seed >>> 15), 2246822519) >>> 0; return (seed >>> 9) % most; };
  const x = 20 + next(60), y = 30 + next(70), r = 26 + next(30);
  const shapes = [s("circle", { cx: x, cy: y, r, class: "shape-a" }), s("circle", { cx: 100 - x, cy: 140 - y, r: 14 + next(22), class: "shape-b" })];
  const turn = next(4);
  if (turn === 0) shapes.push(s("path", { d: `M0 ${90 + next(30)} Q50 ${60 + next(40)} 100 ${80 + next(40)} V140 H0z`, class: "shape-c" }));
  if (turn === 1) for (let ring = 1; ring < 4; ring += 1) shapes.push(s("circle", { cx: x, cy: y, r: r + 9 * ring, class: "ring" }));
  if (turn === 2) shapes.push(s("rect", { x: next(50), y: 60 + next(30), width: 40 + next(30), height: 90, transform: `rotate(${next(50) - 25} 50 100)`, class: "shape-c" }));
  if (turn === 3) for (let line = 0; line < 5; line += 1) shapes.push(s("path", { d: `M0 ${86 + 12 * line} Q50 ${70 + 12 * line + next(20)} 100 ${86 + 12 * line}`, class: "ring" }));
  const kind = KINDS.has(domain) ? domain : "thing";
  const glyph = icon(kind);
  for (const [name, value] of Object.entries({ x: 64, y: 104, width: 26, height: 26 })) glyph.setAttribute(name, value);
  return s("svg", { viewBox: "0 0 100 140", class: "cover", "data-kind": kind, "aria-hidden": "true", focusable: "false", preserveAspectRatio: "xMidYMid slice" },
    s("rect", { width: 100, height: 140, class: "ground" }), shapes, glyph);
}
