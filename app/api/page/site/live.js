// The list of stage changes as they come. It can be paused, and speaks seldom: screen readers are
// told how many are new, not each of them.

import { choices } from "./choices.js";
import { icon, make, replace } from "./dom.js";
import { moment, say } from "./language.js";
import { ladderTitle, outline, tone } from "./shop.js";
import { arrow, cause, grounds, movement } from "./why.js";

const SHOWN = 12;
const DRAWN_EVERY = 400;
const SPOKEN_AFTER = 1_000;
const SPOKEN_EVERY = 10_000;

export class Live {
  #changes;
  #ladder;
  #all = false;
  #paused = null;
  #drawing = null;
  #speaking = null;
  #spoken = -SPOKEN_EVERY;
  #skipped = 0;
  #new = new Set();

  constructor(changes, ladder, speak) {
    this.#changes = changes;
    this.#ladder = ladder;
    this.speak = speak;
    this.list = make("ol", { class: "live-list" });
    this.state = make("span", { class: "live-state" });
    this.skipped = make("p", { class: "note" });
    this.element = make("section", { class: "card live-card", "aria-labelledby": "live-title" });
    const ending = new AbortController();
    const on = (name, heard) => changes.addEventListener(name, heard, { signal: ending.signal });
    on("change", (event) => this.#arrived(event.detail));
    on("skipped", (event) => { this.#skipped += event.detail; this.#soon(); });
    on("state", () => this.#soon());
    this.end = () => { ending.abort(); clearTimeout(this.#drawing); clearTimeout(this.#speaking); };
    changes.follow(ladder);
    this.draw();
  }

  draw() {
    const which = choices("live", say("live.which"), [["one", say("live.this")], ["all", say("live.all")]],
      this.#all ? "all" : "one", (chosen) => this.#follow(chosen === "all"));
    this.pause = make("button", { type: "button", class: "button", "data-key": "live-pause", onclick: () => this.#toggle() });
    replace(this.element,
      make("div", { class: "card-head" },
        make("div", {}, make("h2", { id: "live-title" }, say("live.title")), this.state),
        make("div", { class: "card-tools" }, which, this.pause)),
      this.list, this.skipped);
    this.#draw();
  }

  #follow(all) {
    this.#all = all;
    this.#paused = null;
    this.#new.clear();
    this.#changes.follow(all ? null : this.#ladder);
    this.#draw();
  }

  #toggle() {
    this.#paused = this.#paused ? null : [...this.#changes.recent];
    this.#draw();
  }

  #arrived(change) {
    this.#new.add(change.id);
    this.#soon();
    const silent = performance.now() - this.#spoken;
    this.#speaking ??= setTimeout(() => {
      this.#speaking = null;
      this.#spoken = performance.now();
      const count = this.#mine(this.#changes.recent).filter((each) => this.#new.has(each.id)).length;
      this.#new.clear();
      if (count && !this.#paused) this.speak(say("live.news", { n: count }));
    }, Math.max(SPOKEN_AFTER, SPOKEN_EVERY - silent));
  }

  #soon() {
    this.#drawing ??= setTimeout(() => { this.#drawing = null; this.#draw(); }, DRAWN_EVERY);
  }

  #mine = (changes) => (this.#all ? changes : changes.filter((each) => each.data.ladder === this.#ladder));

  #draw() {
    const shown = this.#mine(this.#paused ?? this.#changes.recent);
    const waiting = this.#paused ? this.#mine(this.#changes.recent).filter((each) => !this.#paused.includes(each)).length : 0;
    replace(this.pause, icon(this.#paused ? "play" : "pause"), say(this.#paused ? "live.resume" : "live.pause"),
      waiting ? make("span", { class: "badge" }, say("live.waiting", { n: waiting })) : null);
    replace(this.state, say(this.#changes.connected ? "live.on" : "live.off"));
    this.state.dataset.on = String(this.#changes.connected);
    replace(this.skipped, this.#skipped ? say("live.skipped", { n: this.#skipped }) : null);
    replace(this.list, shown.length
      ? shown.slice(0, SHOWN).map((change) => this.#item(change))
      : make("li", { class: "small" }, say("live.none")));
  }

  #item({ id, subject, time, data }) {
    const { class: named, style } = tone(outline(data.ladder), data.to);
    const because = grounds(data);
    return make("li", { class: `live-item ${named}${this.#new.has(id) ? " fresh" : ""}`, style, "data-change": id },
      arrow(data.direction),
      make("div", {},
        make("p", {}, make("a", { href: `#/customers/${encodeURIComponent(subject)}`, "data-key": `live-${id}` }, subject), ` ${movement(data)}`,
          this.#all ? make("span", { class: "small" }, ` · ${ladderTitle(data.ladder)}`) : null),
        make("p", { class: "small" }, make("time", { datetime: time }, moment(time)), ` · ${cause(data)}`, because ? ` · ${because}` : null,
          data.quiet ? make("span", { class: "badge" }, say("live.quiet")) : null)));
  }
}
