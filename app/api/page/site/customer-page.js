// One customer: where they stand, why, what comes next, and how they got here.

import { get } from "./api.js";
import { choices } from "./choices.js";
import { icon, make, replace } from "./dom.js";
import { date, listed, moment, say, title } from "./language.js";
import { isNumber } from "./numbers.js";
import { fromTop, height, ladderTitle, list, outline, rungTitle, tone } from "./shop.js";
import { timeline } from "./timeline.js";
import { arrow, cause, checklist, held, movement, reason } from "./why.js";
import { demands, entry, wanting } from "./words.js";

const FIRST = ["purchases", "spend", "average_order", "card", "referrals", "positives", "negatives", "registered"];
const MOVES = 20;

export class CustomerPage {
  #view = null;
  #history = null;
  #ladder = "";
  #whole = false;

  constructor(id, element) {
    this.id = id;
    this.element = element;
  }

  get heading() { return say("customer.title", { id: this.id }); }

  async load(signal) {
    // As a query: of a path a browser takes "." and ".." out, which are ids as well.
    const id = encodeURIComponent(this.id);
    [this.#view, this.#history] = await Promise.all([get(`v1/customers?id=${id}`, signal), get(`v1/history?id=${id}`, signal)]);
  }

  concerns(change) {
    return change.subject === this.id || change.subject === this.#view?.merged_into;
  }

  draw() {
    const view = this.#view;
    replace(this.element,
      make("p", { class: "back" }, make("a", { href: "#/", "data-key": "back" }, `← ${say("customer.back")}`)),
      make("div", { class: "page-head" },
        make("h1", { id: "heading", tabindex: "-1", "data-key": "heading" }, this.heading),
        make("p", { class: "small" }, say("app.asOf", { moment: moment(view.as_of) }))),
      view.merged_into ? make("p", { class: "notice" }, say("customer.merged", { id: view.merged_into })) : null,
      facts(view.facts), this.#stands(view), this.#moves());
  }

  #stands(view) {
    const known = list().ladders.filter((each) => each.id in view.ladders);
    return make("section", { "aria-labelledby": "stands-title" },
      make("h2", { id: "stands-title", class: "section-title" }, say("customer.stands")),
      ["ladder", "segment"].map((kind) => make("div", { class: `stands stands-${kind}` },
        known.filter((each) => each.kind === kind).map((each) => stand(each, view.ladders[each.id])))));
  }

  #moves() {
    const all = this.#history.changes;
    const mine = this.#ladder ? all.filter((each) => each.data.ladder === this.#ladder) : all;
    const seen = this.#whole ? mine.toReversed() : mine.toReversed().slice(0, MOVES);
    return make("section", { class: "card", "aria-labelledby": "history-title" },
      make("h2", { id: "history-title" }, say("customer.history")),
      this.#history.complete ? null : make("p", { class: "notice" }, say("part.history")),
      all.length === 0 ? make("p", { class: "small" }, say("history.none")) : [
        timeline(all, this.#view.as_of, Math.max(280, this.element.clientWidth - 48)),
        this.#filter(all),
        make("ol", { class: "moves", reversed: true }, seen.map(move)),
        seen.length < mine.length ? make("button", { type: "button", class: "button", "data-key": "moves-all", onclick: () => { this.#whole = true; this.draw(); } }, say("history.more", { n: mine.length })) : null,
      ]);
  }

  #filter(all) {
    const ids = [...new Set(all.map((each) => each.data.ladder))];
    const chosen = (event) => { this.#ladder = event.target.value; this.draw(); };
    return make("p", { class: "filter" }, make("label", { for: "history-which" }, say("history.which")),
      make("select", { id: "history-which", "data-key": "history-which", onchange: chosen },
        make("option", { value: "" }, say("history.all")),
        ids.map((id) => make("option", { value: id, selected: id === this.#ladder }, ladderTitle(id)))));
  }
}

function facts(known) {
  const shown = ([name, value]) => {
    const [label, told] = entry(name, value);
    return make("div", { class: "fact" }, make("dt", {}, label), make("dd", {}, told));
  };
  const first = FIRST.filter((name) => name in known).map((name) => [name, known[name]]);
  const others = Object.entries(known).filter(([name]) => !FIRST.includes(name));
  return make("section", { class: "card", "aria-labelledby": "facts-title" },
    make("h2", { id: "facts-title" }, say("customer.facts")),
    make("dl", { class: "facts" }, first.map(shown)),
    make("details", { class: "more", "data-keep": "facts" }, make("summary", { "data-key": "facts" }, say("customer.moreFacts")),
      make("dl", { class: "facts facts-all" }, others.map(shown))));
}

function stand(of, told) {
  const { class: named, style } = tone(of, told.rung);
  const name = told.rung ? rungTitle(of.id, told.rung) : say(of.kind === "segment" ? "customer.offGroup" : "customer.off");
  return make("article", { class: `card stand ${named}`, style, "data-ladder": of.id },
    make("h3", {}, make("a", { href: `#/ladders/${of.id}`, "data-key": `stand-${of.id}` }, title(of.title, of.id))),
    make("p", { class: told.rung ? "stand-rung" : "stand-rung stand-off" }, name),
    steps(of, told.rung),
    told.since ? make("p", { class: "small" }, say("customer.since", { date: date(told.since) }), place(of, told.rung)) : null,
    told.placed ? make("p", { class: "hand" }, icon("hand"), placed(of, told.placed)) : null,
    told.because ? why(of, told) : null,
    next(of, told),
    told.due ? make("p", { class: "due" }, icon("clock"), due(of, told.due)) : null);
}

/** The rungs as dots, filled up to where the customer stands. */
function steps(of, rung) {
  const at = height(of, rung);
  return make("div", { class: `steps steps-${of.kind}`, "aria-hidden": "true" }, fromTop(of).toReversed().filter((each) => !each.override).map((each) => {
    const { class: named, style } = tone(of, each.id);
    const reached = of.kind === "segment" ? each.id === rung : at !== null && height(of, each.id) <= at;
    return make("span", { class: `${named}${reached ? " reached" : ""}${each.id === rung ? " here" : ""}`, style });
  }));
}

function place(of, rung) {
  const steps = of.rungs.filter((each) => !each.override);
  const index = steps.findIndex((each) => each.id === rung);
  return of.kind === "segment" || index < 0 ? null : ` · ${say("customer.place", { place: index + 1, of: steps.length })}`;
}

function placed(of, { rung, until }) {
  const name = rungTitle(of.id, rung);
  return until ? say("customer.placed", { rung: name, date: date(until) }) : say("customer.placedOpen", { rung: name });
}

function why(of, told) {
  const { rule, facts: values } = told.because;
  const kept = demands(rule, values).holds === false;
  return make("div", { class: "why" }, make("h4", {}, say("customer.why")), checklist(rule, values),
    kept ? make("p", { class: "small" }, say(told.due ? "customer.grace" : "customer.held")) : null,
    raw(rule, values));
}

/** The rule and the facts as the API has them, for those who write rules. */
function raw(rule, values) {
  const told = Object.entries(values).map(([name, value]) => `${name} = ${isNumber(value) ? value : JSON.stringify(value)}`);
  return make("details", { class: "raw" }, make("summary", {}, say("rules.raw")),
    make("p", {}, make("code", {}, rule)), told.length ? make("p", {}, make("code", {}, told.join(", "))) : null);
}

function next(of, told) {
  if (of.kind === "segment" || (told.rung && !told.next)) return of.kind === "segment" ? null : make("p", { class: "next" }, say("customer.top"));
  if (!told.next) return null;
  const found = demands(told.next.rule, told.next.facts);
  const lacking = wanting(found);
  return make("div", { class: "next" }, make("h4", {}, say("customer.next", { rung: rungTitle(of.id, told.next.rung) })),
    make("p", {}, lacking ? say("customer.missing", { what: lacking }) : say("customer.ready")),
    checklist(told.next.rule, told.next.facts));
}

function due(of, { at, to }) {
  return to ? say("customer.due", { date: date(at), rung: rungTitle(of.id, to) }) : say("customer.dueNone", { date: date(at) });
}

function move({ id, time, data }) {
  const { class: named, style } = tone(outline(data.ladder), data.to);
  const passed = data.passed.filter((each) => each !== data.to && each !== data.from);
  const rule = reason(data);
  const details = [
    held(data),
    passed.length ? say("change.passed", { rungs: listed(passed.map((each) => rungTitle(data.ladder, each))) }) : null,
  ].filter(Boolean);
  return make("li", { class: `move ${named}`, style, "data-change": id },
    arrow(data.direction),
    make("div", {},
      make("p", {}, make("strong", {}, ladderTitle(data.ladder)), `: ${movement(data)}`),
      make("p", { class: "small" }, make("time", { datetime: time }, moment(time)), ` · ${cause(data)}`, rule ? ` · ${say("why.because")} ${rule}` : null),
      details.length ? make("p", { class: "small" }, details.join(" · ")) : null));
}

