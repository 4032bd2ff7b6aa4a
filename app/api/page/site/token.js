// Asks for the token when the worker wants one.

import { token } from "./api.js";
import { make, replace } from "./dom.js";
import { say } from "./language.js";

const dialog = make("dialog", { class: "token", "aria-labelledby": "token-title" });
// Nothing can be shown without the token, so there is nothing to go back to.
dialog.addEventListener("cancel", (event) => event.preventDefault());

/** Show the prompt; `given` is called once a token was typed. Asked twice, it stays open. */
export function askForToken(given) {
  const refused = token.get() !== null;
  token.set(null);
  if (!dialog.isConnected) document.body.append(dialog);
  const field = make("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "current-password", "aria-describedby": "token-explain token-error", "aria-invalid": refused ? "true" : null });
  const typed = (event) => {
    event.preventDefault();
    token.set(field.value.trim());
    dialog.close();
    given();
  };
  replace(dialog, make("form", { onsubmit: typed },
    make("h2", { id: "token-title" }, say("token.title")),
    make("p", { id: "token-explain" }, say("token.explain")),
    make("label", { for: "token" }, say("token.label")), field,
    make("p", { id: "token-error", class: "wrong", role: "alert" }, refused ? say("token.wrong") : ""),
    make("button", { type: "submit", class: "button button-first" }, say("token.go"))));
  if (!dialog.open) dialog.showModal();
  field.focus();
}

export const asking = () => dialog.open;
