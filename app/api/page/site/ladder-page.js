// One ladder: its rungs, the flow between them, revenue, what happens now, and its rules.

import { getText } from "./api.js";
import { choices } from "./choices.js";
import { make, replace } from "./dom.js";
import { definition } from "./definition.js";
import { flow } from "./flow.js";
import { listed, moment, money, number, say, title } from "./language.js";
import { Live } from "./live.js";
import { revenue, total } from "./revenue.js";
import { Unfolded, rungs } from "./rungs.js";
import { PERIODS, climbed, fell, ladder, loadLadder, outline, recentMoves } from "./shop.js";

let days = 30;

export class LadderPage {
  #yaml = false;
  #file = null;

  constructor(id, element, { changes, speak, fail }) {
    Object.assign(this, { id, element, speak, fail });
    this.open = new Unfolded(id, () => this.draw(), fail);
    this.live = new Live(changes, id, speak);
    this.top = make("div", { class: "stack" });
    this.moves = make("div", {});
    this.sums = make("div", { class: "stack" });
    this.body = make("div", { class: "stack" }, this.top, make("div", { class: "pair" },
      make("div", { class: "stack" }, this.moves, this.live.element), this.sums));
  }

  get heading() { return title(outline(this.id)?.title, this.id); }

  end() { this.live.end(); }

  concerns(change) { return change.data.ladder === this.id; }

  async load(signal) { await loadLadder(this.id, days, signal); }

  /** Whether more is to come by itself: sums and moves are gathered in the background. */
  get unfinished() {
    const of = ladder(this.id);
    return of !== undefined && !(of.complete && of.moves_complete && total(of) !== null);
  }

  draw() {
    const of = ladder(this.id);
    if (!of) return;
    if (!this.body.isConnected) replace(this.element, this.body);
    const open = new Set([...this.body.querySelectorAll("details[open]")].map((each) => each.dataset.keep));
    replace(this.top, head(of, (chosen) => this.#choose(chosen)), notices(of), tiles(of), rungs(of, days, this.open));
    const narrow = this.element.clientWidth < 900;
    const width = narrow ? this.element.clientWidth - 42 : Math.round((this.element.clientWidth - 20) * 0.58) - 48;
    replace(this.moves, flow(of, days, Math.max(260, width)));
    replace(this.sums, revenue(of), this.#rules(of));
    this.live.draw();
    for (const each of this.body.querySelectorAll("details[data-keep]")) each.open = open.has(each.dataset.keep);
  }

  async #choose(chosen) {
    days = chosen;
    if (days > ladder(this.id).days) {
      try { await this.load(); } catch (error) { this.fail(error); return; }
    }
    this.draw();
  }

  #rules(of) {
    return definition(of, { yaml: this.#yaml, text: this.#file, speak: this.speak, show: (yaml) => this.#show(yaml) });
  }

  async #show(yaml) {
    this.#yaml = yaml;
    this.draw();
    if (!yaml || this.#file !== null) return;
    try { this.#file = await getText(`v1/ladders/${encodeURIComponent(this.id)}/definition`); } catch (error) { this.fail(error); return; }
    this.draw();
  }
}

function head(of, chosen) {
  const options = PERIODS.map((each) => [String(each), say(`period.${each}`)]);
  return make("div", { class: "page-head" },
    make("div", {},
      make("h1", { id: "heading", tabindex: "-1", "data-key": "heading" }, title(of.title, of.id)),
      make("p", { class: "small" }, of.as_of ? say("app.asOf", { moment: moment(of.as_of) }) : null)),
    choices("period", say("ladder.period"), options, String(days), (value) => chosen(Number(value)), { hidden: false }));
}

function notices(of) {
  return [
    of.complete ? null : make("p", { class: "notice" }, say("part.missing", { list: listed(of.missing.map(String)) })),
    of.moves_complete ? null : make("p", { class: "notice" }, say("part.moves")),
    of.customers === 0 ? make("p", { class: "notice" }, say("ladder.empty")) : null,
  ].filter(Boolean);
}

function tiles(of) {
  const moves = recentMoves(of, days);
  const sum = (test) => moves.filter(test).reduce((all, move) => all + move.count, 0);
  const standing = of.rungs.reduce((all, rung) => all + rung.customers, 0);
  const spent = total(of);
  const entered = tile("entered", say("ladder.cameIn"), number(sum((move) => move.from === null)));
  const ways = of.kind === "segment"
    ? [tile("moved", say("ladder.movedOn"), number(sum((move) => move.from !== null && move.to !== null)))]
    : [
      tile("up", say("ladder.climbed"), number(sum(climbed)), "up"),
      tile("down", say("ladder.fell"), number(sum(fell)), "down"),
    ];
  return make("dl", { class: "tiles" }, tile("customers", say("ladder.customers"), number(standing)), entered, ways,
    tile("revenue", say("ladder.revenue"), spent === null ? "…" : money(spent, true)));
}

function tile(name, label, value, way = "") {
  return make("div", { class: value === number(0) ? "tile" : `tile ${way && `way-${way}`}`, "data-tile": name }, make("dt", {}, label), make("dd", {}, value));
}
