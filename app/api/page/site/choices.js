// A few choices of which one holds: a group of radio buttons that looks like one control.

import { make } from "./dom.js";

/** `options`: [value, label] pairs. `chosen` gets the value. Arrow keys work as in any radio group. */
export function choices(name, label, options, current, chosen, { hidden = true } = {}) {
  const group = make("fieldset", { class: "choices" }, make("legend", { class: hidden ? "unseen" : null }, label));
  const track = make("div", { class: "choices-track" });
  for (const [value, text] of options) {
    const id = `${name}-${value}`;
    track.append(
      make("input", {
        type: "radio", name, id, value, "data-key": id, checked: value === current,
        onchange: () => chosen(value),
      }),
      make("label", { for: id }, text),
    );
  }
  group.append(track);
  return group;
}
