// A ladder as a ladder: its rungs from the top, with who stands there and how they moved.

import { get } from "./api.js";
import { icon, make, unseen } from "./dom.js";
import { date, listed, number, say, share, span, title } from "./language.js";
import { climbed, fell, fromTop, recentMoves, tone } from "./shop.js";
import { phrase } from "./words.js";

const PAGE = 24;

/** `open` says whose customers are unfolded: {rung, customers, next, missing, toggle(rung),
 * more()}. */
export function rungs(of, days, open) {
  const most = Math.max(1, ...of.rungs.map((rung) => rung.customers));
  const standing = of.rungs.reduce((sum, rung) => sum + rung.customers, 0);
  const moves = recentMoves(of, days);
  return make("section", { class: "card rungs-card", "aria-labelledby": "rungs-title" },
    make("h2", { id: "rungs-title" }, say("rungs.title")),
    make("div", { class: "rungs-scale", "aria-hidden": "true" }, headings(of).map((text) => make("span", {}, text))),
    make("ol", { class: `rungs rungs-${of.kind}`, reversed: of.kind === "ladder" },
      fromTop(of).map((rung) => row(of, rung, { most, standing, ...counts(of, moves, rung.id) }, open))),
    make("p", { class: "note" }, say(of.kind === "segment" ? "rungs.groupNote" : "rungs.wayNote"),
      " ", say("rungs.medianNote", { n: of.days })));
}

function headings(of) {
  const segment = of.kind === "segment";
  return [
    say(segment ? "rungs.group" : "rungs.rung"), say("ladder.customers"), say("rungs.share"),
    say(segment ? "rungs.in" : "rungs.up"), say(segment ? "rungs.out" : "rungs.down"), say("rungs.median"),
  ];
}

/**
 * Who climbed to a rung and who fell back from it, as the tiles count it; in segments who came in
 * and who went out.
 */
export function counts(of, moves, id) {
  const sum = (test) => moves.filter(test).reduce((all, move) => all + move.count, 0);
  if (of.kind === "segment") return { came: sum((move) => move.to === id), went: sum((move) => move.from === id) };
  return {
    came: sum((move) => move.to === id && climbed(move)),
    went: sum((move) => move.from === id && fell(move)),
  };
}

function row(of, rung, seen, open) {
  const { class: named, style } = tone(of, rung.id);
  const part = seen.standing ? rung.customers / seen.standing : 0;
  const name = title(rung.title, rung.id);
  const [, customers, shareOf, came, went, median] = headings(of);
  const shown = open.rung === rung.id;
  return make("li", { class: `rung ${named}${rung.override ? " rung-cover" : ""}`, style: { ...style, "--part": `${(100 * rung.customers) / seen.most}%` }, "data-rung": rung.id },
    make("div", { class: "rung-row" },
      make("h3", { class: "rung-name" },
        make("button", { type: "button", class: "plain", "aria-expanded": String(shown), "data-key": `rung-${rung.id}`, onclick: () => open.toggle(rung.id) },
          name, unseen(`, ${say("rungs.who")}`)),
        rung.override ? make("span", { class: "small" }, say("rungs.override")) : null),
      make("div", { class: "beam" }, make("div", { class: "beam-fill" })),
      figure("customers", customers, number(rung.customers)),
      figure("share", shareOf, share(part)),
      way(of, "came", came, seen.came, "up"),
      way(of, "went", went, seen.went, "down"),
      figure("median", median, stay(rung)),
    ),
    shown ? people(of, rung, open) : null);
}

/** Moves to or from a rung, with an arrow where there is an up and a down. */
function way(of, name, label, count, direction) {
  if (!count) return figure(name, label, "–");
  return of.kind === "segment" ? figure(name, label, number(count)) : figure(name, label, [icon(direction), number(count)], direction);
}

function figure(name, label, value, way = "") {
  return make("div", { class: `figure figure-${name} ${way && `way-${way}`}` },
    make("span", { class: "figure-label" }, `${label} `), make("span", { class: "figure-value" }, value));
}

function stay(rung) {
  if (rung.median_held_seconds !== null) {
    return [about(rung.median_held_seconds), cases(say("rungs.leftCases", { n: rung.held_cases }))];
  }
  if (rung.median_standing_seconds !== null && rung.customers) {
    return [`(${about(rung.median_standing_seconds)})`, cases(say("rungs.hereCases", { n: rung.standing_cases }))];
  }
  return [make("span", { "aria-hidden": "true" }, "–"), unseen(say("rungs.noMedian"))];
}

/** A length that is known to a few per cent. */
const about = (seconds) => `≈ ${span(seconds)}`;

const cases = (text) => make("span", { class: "small figure-cases" }, ` ${text}`);

function people(of, rung, open) {
  const name = title(rung.title, rung.id);
  return make("div", { class: "people", role: "region", "aria-label": say("rungs.whoOn", { rung: name }) },
    make("p", { class: "small" }, phrase(rung.when)),
    open.missing.length ? make("p", { class: "small" }, say("part.missing", { list: listed(open.missing.map(String)) })) : null,
    open.customers === null ? make("p", { class: "small" }, say("wait.loading"))
      : open.customers.length === 0 ? make("p", { class: "small" }, say("rungs.nobody"))
        : make("ul", { class: "people-list" }, open.customers.map((each) => make("li", {},
          make("a", { href: `#/customers/${encodeURIComponent(each.customer_id)}`, "data-key": `person-${each.customer_id}` }, each.customer_id),
          make("span", { class: "small" }, say("rungs.since", { date: date(each.since) }))))),
    open.next ? make("button", { type: "button", class: "button", "data-key": `more-${rung.id}`, onclick: open.more }, say("rungs.more")) : null);
}

/** The state behind the unfolded rung; `redraw` is called when it has changed. */
export class Unfolded {
  constructor(id, redraw, fail) {
    Object.assign(this, { id, redraw, fail, rung: null, customers: null, next: null, missing: [] });
    this.more = () => this.load();
  }

  async toggle(rung) {
    const same = this.rung === rung;
    Object.assign(this, { rung: same ? null : rung, customers: null, next: null, missing: [] });
    this.redraw();
    if (!same) await this.load();
  }

  async load() {
    const rung = this.rung;
    const wanted = (this.customers?.length ?? 0) + PAGE;
    const found = [...(this.customers ?? [])];
    let cursor = this.next;
    try {
      do {
        const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const page = await get(`v1/ladders/${encodeURIComponent(this.id)}/customers?rung=${encodeURIComponent(rung)}&limit=${PAGE}${after}`);
        found.push(...page.customers);
        this.missing = [...new Set([...this.missing, ...page.missing])];
        cursor = page.next;
      } while (cursor && found.length < wanted);
    } catch (error) { this.fail(error); return; }
    if (this.rung !== rung) return;
    this.customers = found;
    this.next = cursor;
    this.redraw();
  }
}
