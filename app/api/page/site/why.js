// The demands of a rule as a checklist, and a stage change as a sentence.

import { icon, make, unseen } from "./dom.js";
import { listed, say, span } from "./language.js";
import { rungTitle } from "./shop.js";
import { texts } from "./texts.js";
import { deciding, demands, entry, phrase, valued } from "./words.js";

/** A list of what a rule asks for, each with a tick or a cross and the value it has now. */
export function checklist(rule, facts) {
  return make("ul", { class: "checks" }, demand(demands(rule, facts), true));
}

function demand(found, outermost = false) {
  if (found.kind === "clause") {
    return make("li", { class: found.holds ? "check holds" : "check" },
      icon(found.holds ? "tick" : "cross"),
      unseen(`${say(found.holds ? "customer.holds" : "customer.fails")}: `),
      make("span", {}, found.text, found.now === null ? null : make("span", { class: "now" }, ` · ${say("customer.now", { value: found.now })}`)));
  }
  const items = found.parts.map((part) => demand(part));
  if (outermost && found.kind === "all") return items;
  return make("li", { class: found.holds ? "check holds nest" : "check nest" },
    icon(found.holds ? "tick" : "cross"),
    make("span", {}, `${say(`customer.${found.kind}`)}:`),
    make("ul", { class: "checks" }, items));
}

/** From where to where a customer moved: "climbed from Shopper to Customer". */
export function movement(data) {
  const from = rungTitle(data.ladder, data.from);
  const to = rungTitle(data.ladder, data.to);
  if (data.from === null) return say("change.entered", { to });
  if (data.to === null) return say("change.left", { from });
  return say(`change.${data.direction}`, { from, to });
}

/** What caused a change: the event, or that time passed. */
export function cause(data) {
  const type = `type.${data.trigger?.type}`;
  if (type in texts && (data.cause === "event" || data.cause === "refund")) return say(type);
  return say(`cause.${data.cause}`);
}

/** The facts behind a change as words: "2 purchases". */
export function grounds(data) {
  if (!data.because) return null;
  const facts = deciding(data.because.rule, data.because.facts);
  if (facts.length === 0) return say("why.always");
  return listed(facts.slice(0, 4).map(([name, value]) => valued(name, value)));
}

/** The rule behind a change, in words, and the numbers it met; one that no longer holds says so. */
export function reason(data) {
  if (!data.because) return null;
  const { rule, facts } = data.because;
  const lost = demands(rule, facts).holds === false;
  const numbers = Object.entries(facts).filter(([, value]) => typeof value !== "boolean").map(([name, value]) => entry(name, value)[1]);
  const told = lost ? say("why.notAny", { rule: phrase(rule) }) : phrase(rule);
  return numbers.length ? `${told} (${numbers.join("; ")})` : told;
}

/** For how long the rung that was left had been held. */
export const held = (data) =>
  data.from === null || data.held_seconds === null ? null
    : say("change.held", { span: span(data.held_seconds), from: rungTitle(data.ladder, data.from) });

/** An arrow for the way of a change; screen readers are told by the sentence beside it. */
export function arrow(direction) {
  return make("span", { class: `way way-${direction}` }, icon(direction));
}
