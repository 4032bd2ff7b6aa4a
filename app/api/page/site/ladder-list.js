// All ladders, each with how its customers are spread, as the way to choose one.

import { make, replace } from "./dom.js";
import { number, say, title } from "./language.js";
import { list, tone } from "./shop.js";

export function ladderList(container, current) {
  container.setAttribute("aria-label", say("app.ladders"));
  const ladders = list()?.ladders ?? [];
  const kinds = ["ladder", "segment"].map((kind) => [kind, ladders.filter((each) => each.kind === kind)]);
  replace(container, kinds.filter(([, some]) => some.length).map(([kind, some]) => [
    make("p", { class: "kind", id: `kind-${kind}` }, say(`kind.${kind}`)),
    make("ul", { "aria-labelledby": `kind-${kind}` }, some.map((each) => item(each, current))),
  ]));
  // Where the list is one row to scroll, the chosen one is to be seen.
  const chosen = container.querySelector("[aria-current]");
  if (chosen && container.scrollWidth > container.clientWidth) container.scrollLeft = chosen.offsetLeft - container.offsetLeft - 16;
}

function item(each, current) {
  const standing = each.rungs.reduce((sum, rung) => sum + rung.customers, 0);
  return make("li", {}, make("a", { href: `#/ladders/${each.id}`, "aria-current": each.id === current ? "page" : null, "data-key": `ladder-${each.id}` },
    make("span", { class: "ladder-name" }, title(each.title, each.id)),
    make("span", { class: "ladder-count" }, number(standing)),
    make("span", { class: "spread", "aria-hidden": "true" }, each.rungs.filter((rung) => rung.customers).map((rung) => {
      const { class: named, style } = tone(each, rung.id);
      return make("span", { class: named, style: { ...style, "flex-grow": String(rung.customers) } });
    }))));
}
