// A ladder's rules: in words, and as the file that `ladder check` takes.

import { choices } from "./choices.js";
import { make } from "./dom.js";
import { say, title } from "./language.js";
import { fromTop, tone } from "./shop.js";
import { phrase, suggestion } from "./words.js";

/** `view`: {yaml: boolean, text: the file or null, show(yaml), speak(text)}. */
export function definition(of, view) {
  const forms = [["words", say("rules.words")], ["yaml", say("rules.yaml")]];
  return make("section", { class: "card rules-card", "aria-labelledby": "rules-title" },
    make("div", { class: "card-head" },
      make("div", {}, make("h2", { id: "rules-title" }, say("rules.title")), make("span", { class: "small" }, say("rules.version", { n: of.version }))),
      choices("rules", say("rules.form"), forms, view.yaml ? "yaml" : "words", (form) => view.show(form === "yaml"))),
    view.yaml ? file(view) : words(of));
}

/** How one climbs and falls, as sentences. */
export function manners(of) {
  if (of.kind === "segment") return [say("rules.segment")];
  const climb = say(of.climb === "free" ? "rules.free" : "rules.cumulative");
  if (typeof of.down === "string") return [climb, say(`rules.${of.down}`)];
  return [climb, say(of.down.step === "one" ? "rules.graceOne" : "rules.graceAll", { n: of.down.grace_days })];
}

function words(of) {
  return [
    make("p", { class: "lead" }, manners(of).join(" ")),
    make("dl", { class: "rules" }, fromTop(of).map((rung) => {
      const { class: named, style } = tone(of, rung.id);
      return make("div", { class: `rule ${named}`, style },
        make("dt", {}, title(rung.title, rung.id), rung.override ? make("span", { class: "small" }, ` · ${say("rungs.override")}`) : null),
        make("dd", {}, phrase(rung.when),
          rung.suggest ? make("span", { class: "tag" }, say("rules.suggest", { word: suggestion(rung.suggest) })) : null));
    })),
  ];
}

function file(view) {
  if (view.text === null) return make("p", { class: "small" }, say("wait.loading"));
  const copy = async () => {
    try { await navigator.clipboard.writeText(view.text); view.speak(say("rules.copied")); button.textContent = say("rules.copied"); } catch { /* not allowed: it can be selected */ }
  };
  const button = make("button", { type: "button", class: "button copy", "data-key": "copy", onclick: copy }, say("rules.copy"));
  return make("div", { class: "file" }, button,
    make("pre", { tabindex: "0", role: "region", "aria-label": say("rules.yaml"), "data-key": "yaml" }, make("code", {}, view.text)));
}
