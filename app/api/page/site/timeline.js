// A customer's moves as a picture: a lane for each ladder, coloured by the rung that was held.

import { draw, make } from "./dom.js";
import { date, month, say, year } from "./language.js";
import { ladderTitle, outline, rungTitle, tone } from "./shop.js";

const LANE = 34;
const BAR = 12;
const DAY = 86_400_000;

/** `changes` oldest first; `until` is where the lanes end. */
export function timeline(changes, until, width) {
  const begin = Date.parse(changes[0].time);
  const end = Math.max(Date.parse(until), Date.parse(changes.at(-1).time), begin + DAY);
  const at = (instant) => ((Date.parse(instant) - begin) / (end - begin)) * width;
  const lanes = Map.groupBy ? Map.groupBy(changes, (each) => each.data.ladder) : grouped(changes);
  const height = lanes.size * LANE + 24;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "timeline", role: "img", "aria-label": say("history.picture", { begin: date(begin), end: date(end) }) });
  for (const tick of ticks(begin, end, width)) {
    svg.append(draw("line", { class: "tick", x1: tick.x, x2: tick.x, y1: 0, y2: height - 18 }),
      draw("text", { class: "tick-name", x: tick.x, y: height - 4, "text-anchor": tick.x < 30 ? "start" : tick.x > width - 40 ? "end" : "middle" }, tick.name));
  }
  [...lanes].forEach(([id, moves], index) => svg.append(lane(id, moves, index * LANE, at, width)));
  return make("div", { class: "timeline-frame" }, svg);
}

function grouped(changes) {
  const found = new Map();
  for (const each of changes) found.set(each.data.ladder, [...(found.get(each.data.ladder) ?? []), each]);
  return found;
}

function lane(id, moves, y, at, width) {
  const of = outline(id);
  const group = draw("g", {}, draw("text", { class: "lane-name", x: 0, y: y + 12 }, ladderTitle(id)),
    draw("rect", { class: "lane", x: 0, y: y + 17, width, height: BAR, rx: BAR / 2 }));
  moves.forEach(({ time, data }, index) => {
    if (data.to === null) return;
    const [x, next] = [at(time), moves[index + 1] ? at(moves[index + 1].time) : width];
    const { class: named, style } = tone(of, data.to);
    group.append(draw("rect", { class: `held ${named}`, style, x: x.toFixed(1), y: y + 17, width: Math.max(2, next - x - 1).toFixed(1), height: BAR, rx: 3 },
      draw("title", {}, `${rungTitle(id, data.to)} · ${date(time)}`)));
  });
  return group;
}

function ticks(begin, end, width) {
  const months = (end - begin) / DAY / 30.4;
  const step = [1, 2, 3, 6, 12, 24, 60].find((each) => months / each <= width / 110) ?? 120;
  const first = new Date(begin);
  const found = [];
  for (let at = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 1)); at < end; at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1))) {
    const index = at.getUTCFullYear() * 12 + at.getUTCMonth();
    if (index % step === 0) found.push({ x: Math.round(((at - begin) / (end - begin)) * width), name: (step >= 12 ? year : month)(at) });
  }
  return found;
}
