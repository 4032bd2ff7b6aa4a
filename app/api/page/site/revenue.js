// What those who stand on each rung have spent.

import { make } from "./dom.js";
import { moment, money, say, share, title } from "./language.js";
import { divided, plus } from "./numbers.js";
import { fromTop, tone } from "./shop.js";

export function revenue(of) {
  const known = of.rungs.every((rung) => rung.revenue !== null);
  return make("section", { class: "card revenue-card", "aria-labelledby": "revenue-title" },
    make("h2", { id: "revenue-title" }, say(of.kind === "segment" ? "revenue.groups" : "revenue.title")),
    make("p", { class: "lead" }, say("revenue.lead")),
    known ? bars(of) : make("p", { class: "counting" }, say("revenue.counting")),
    of.census?.as_of && known ? make("p", { class: "note" }, say("revenue.asOf", { moment: moment(of.census.as_of) })) : null);
}

/** All that was spent by those who stand somewhere; null until it was added up. */
export function total(of) {
  return of.rungs.every((rung) => rung.revenue !== null) ? of.rungs.reduce((sum, rung) => plus(sum, rung.revenue), 0) : null;
}

function bars(of) {
  const most = Math.max(1, ...of.rungs.map((rung) => Number(rung.revenue)));
  const all = Math.max(1, Number(total(of)));
  return make("ul", { class: "bars" }, fromTop(of).map((rung) => {
    const { class: named, style } = tone(of, rung.id);
    const spent = Math.max(0, Number(rung.revenue));
    return make("li", { class: `bar ${named}`, style: { ...style, "--part": `${(100 * spent) / most}%` }, "data-rung": rung.id },
      make("div", { class: "bar-head" },
        make("span", { class: "bar-name" }, title(rung.title, rung.id)),
        make("span", { class: "bar-value", title: money(rung.revenue) }, money(rung.revenue, true)),
        make("span", { class: "bar-share" }, share(spent / all))),
      make("div", { class: "beam" }, make("div", { class: "beam-fill" })),
      rung.customers ? make("p", { class: "small" }, say("revenue.each", { money: money(divided(rung.revenue, rung.customers), true) })) : null);
  }));
}
