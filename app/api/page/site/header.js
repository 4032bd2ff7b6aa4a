// The head of the page: its name, the search for a customer, language, theme and token.

import { choices } from "./choices.js";
import { draw, icon, make, replace } from "./dom.js";
import { choose as chooseLanguage, language, languages, say } from "./language.js";
import { choose as chooseTheme, theme, themes } from "./theme.js";

/** `acts`: {look(id), changed(), forget() or null when no token is in use}. */
export function header(container, acts) {
  replace(container, brand(), search(acts.look), make("div", { class: "switches" },
    choices("language", say("app.language"), Object.keys(languages).map((each) => [each, each.toUpperCase()]), language(),
      (chosen) => { chooseLanguage(chosen); acts.changed(); }),
    choices("theme", say("app.theme"), themes.map((each) => [each, say(`theme.${each}`)]), theme(), chooseTheme),
    acts.forget ? make("button", { type: "button", class: "button", "data-key": "forget", onclick: acts.forget }, say("app.signOut")) : null));
}

function brand() {
  const mark = draw("svg", { viewBox: "0 0 32 32", class: "mark", "aria-hidden": "true" },
    draw("rect", { width: 32, height: 32, rx: 8 }), draw("path", { d: "M10.5 6v20M21.5 6v20M10.5 10.5h11M10.5 16h11M10.5 21.5h11" }));
  return make("a", { class: "brand", href: "#/", "data-key": "brand" }, mark, make("span", {}, say("app.name")));
}

function search(look) {
  const field = make("input", { id: "look", name: "customer", type: "search", required: true, maxlength: 128, autocomplete: "off", spellcheck: "false", autocapitalize: "off", placeholder: say("look.hint"), "data-key": "look", enterkeyhint: "search" });
  const asked = (event) => { event.preventDefault(); const id = field.value.trim(); if (id) look(id); };
  return make("form", { class: "look", role: "search", onsubmit: asked },
    make("label", { for: "look", class: "unseen" }, say("look.label")), icon("search"), field,
    make("button", { type: "submit", class: "button" }, say("look.go")));
}
