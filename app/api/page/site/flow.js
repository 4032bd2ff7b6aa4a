// From rung to rung, as a picture: on the left where customers came from, on the right where they
// went, each ribbon as thick as there were moves. A table tells the same.

import { draw, make } from "./dom.js";
import { number, say, title } from "./language.js";
import { fromTop, recentMoves, tone } from "./shop.js";

const NODE = 10;
const GAP = 10;
const SMALLEST = 2;
const LINE = 15;
/** Below this width names go on two lines. */
const NARROW = 460;

export function flow(of, days, width) {
  const period = say("period.in", { n: days });
  const links = linksOf(recentMoves(of, days));
  const total = links.reduce((sum, link) => sum + link.count, 0);
  return make("section", { class: "card flow-card", "aria-labelledby": "flow-title" },
    make("h2", { id: "flow-title" }, say(of.kind === "segment" ? "flow.groups" : "flow.title")),
    total === 0
      ? make("p", { class: "lead" }, say("flow.none", { period }))
      : [make("p", { class: "lead" }, say("flow.lead", { period })), legend(of), picture(of, links, total, period, width), table(of, links)]);
}

function linksOf(moves) {
  const found = new Map();
  for (const { from, to, direction, count } of moves) {
    const key = JSON.stringify([from, to]);
    const link = found.get(key) ?? { from, to, count: 0, direction: from === null ? "entered" : direction };
    link.count += count;
    found.set(key, link);
  }
  return [...found.values()];
}

function legend(of) {
  const ways = of.kind === "segment" ? ["moved", "entered"] : ["up", "down", "entered"];
  return make("ul", { class: "legend", "aria-hidden": "true" }, ways.map((way) => make("li", { class: `legend-${way}` }, say(`flow.${way}`))));
}

function picture(of, links, total, period, width) {
  const order = [...fromTop(of).map((rung) => rung.id), null];
  const tall = Math.max(250, Math.min(430, 56 * order.length));
  const left = side(order, links, "from", tall);
  const right = side(order, links, "to", tall);
  const scale = Math.min(left.scale, right.scale);
  for (const { nodes } of [left, right]) for (const node of nodes.values()) node.lines = lines(named(of, node.id, nodes === left.nodes ? "flow.outside" : "flow.left"), width);
  const height = Math.max(layOut(left, scale), layOut(right, scale));
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "flow", role: "img", "aria-label": say("flow.picture", { n: total, period }) });
  const ribbons = links
    .toSorted((one, other) => order.indexOf(one.from) - order.indexOf(other.from) || order.indexOf(one.to) - order.indexOf(other.to));
  // Where each ribbon meets the right side goes by the order of where they come from.
  for (const link of ribbons) { link.y0 = left.nodes.get(link.from).take(link.count * scale); }
  for (const link of ribbons) { link.y1 = right.nodes.get(link.to).take(link.count * scale); }
  for (const link of ribbons.toSorted((one, other) => other.count - one.count)) svg.append(ribbon(of, link, scale, width));
  for (const node of left.nodes.values()) svg.append(nodeOf(of, node, 0, "start", width));
  for (const node of right.nodes.values()) svg.append(nodeOf(of, node, width - NODE, "end", width));
  return svg;
}

function side(order, links, end, tall) {
  const nodes = new Map();
  for (const id of order) {
    const count = links.filter((link) => link[end] === id).reduce((sum, link) => sum + link.count, 0);
    if (count) nodes.set(id, { id, count });
  }
  const total = [...nodes.values()].reduce((sum, node) => sum + node.count, 0);
  return { nodes, scale: (tall - 24 * nodes.size) / total };
}

/** Give each node its place, with room for its name; the height that is needed. */
function layOut({ nodes }, scale) {
  let y = 4;
  for (const node of nodes.values()) {
    node.height = Math.max(SMALLEST, node.count * scale);
    const room = Math.max(node.height, LINE * node.lines.length);
    node.y = y + (room - node.height) / 2;
    let taken = node.y;
    node.take = (thick) => { const at = taken; taken += thick; return at; };
    y += room + GAP;
  }
  return y;
}

function ribbon(of, link, scale, width) {
  const thick = Math.max(1, link.count * scale);
  const [x0, x1] = [NODE, width - NODE];
  const middle = (x0 + x1) / 2;
  const [y0, y1] = [link.y0 + thick / 2, link.y1 + thick / 2];
  const name = `${named(of, link.from, "flow.outside")} → ${named(of, link.to, "flow.left")}: ${number(link.count)}`;
  return draw("path", { class: `ribbon ribbon-${link.direction}`, d: `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`, "stroke-width": thick.toFixed(2) }, draw("title", {}, name));
}

function nodeOf(of, node, x, anchor, width) {
  const { class: named_, style } = tone(of, node.id);
  const at = anchor === "start" ? NODE + 7 : width - NODE - 7;
  const first = node.y + node.height / 2 - ((node.lines.length - 1) * LINE) / 2;
  const name = node.lines.map((line, index) => draw("tspan", { x: at, y: (first + index * LINE).toFixed(2), dy: "0.34em" }, line));
  return draw("g", { class: `node ${named_}`, style },
    draw("rect", { x, y: node.y.toFixed(2), width: NODE, height: node.height.toFixed(2), rx: 2 }),
    draw("text", { "text-anchor": anchor }, name, draw("tspan", { class: "node-count", dx: 6 }, number(node.count))));
}

/** A name on one line, or on two where there is little room. */
function lines(text, width) {
  if (width >= NARROW || text.length <= 16) return [text];
  const words = text.split(" ");
  let first = words.shift();
  while (words.length && first.length + words[0].length < text.length / 2 + 2) first += ` ${words.shift()}`;
  return words.length ? [first, words.join(" ")] : [first];
}

function named(of, id, outside) {
  if (id === null) return say(outside);
  const rung = of.rungs.find((each) => each.id === id);
  return title(rung?.title, id);
}

function table(of, links) {
  const rows = links.toSorted((one, other) => other.count - one.count);
  return make("details", { class: "more", "data-keep": "flow-table" },
    make("summary", { "data-key": "flow-table" }, say("flow.table")),
    make("table", { class: "plain-table" },
      make("thead", {}, make("tr", {}, ["flow.from", "flow.to", "flow.moves"].map((text) => make("th", { scope: "col" }, say(text))))),
      make("tbody", {}, rows.map((link) => make("tr", {},
        make("td", {}, named(of, link.from, "flow.outside")), make("td", {}, named(of, link.to, "flow.left")), make("td", { class: "right" }, number(link.count)))))));
}
