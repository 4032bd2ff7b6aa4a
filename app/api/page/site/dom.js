// Elements from values. Text is always text: nothing here ever parses HTML.

const SVG = "http://www.w3.org/2000/svg";

export function make(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function draw(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    // The policy forbids style attributes; setting properties one by one it allows.
    else if (name === "style") for (const [key, own] of Object.entries(value)) element.style.setProperty(key, own);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put new content in, and the focus back onto what has the same data-key as what had it. */
export function replace(container, ...children) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key !== undefined) container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

const SHAPES = {
  up: "M8 13V3M8 3 3.5 7.5M8 3l4.5 4.5",
  down: "M8 3v10m0 0 4.5-4.5M8 13 3.5 8.5",
  moved: "M3 8h10m0 0L8.5 3.5M13 8l-4.5 4.5",
  tick: "m3 8.5 3.2 3.2L13 4.8",
  cross: "m4 4 8 8M12 4l-8 8",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M5 3v10l8-5Z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9.5V8l2.4 1.6",
  hand: "M8 2v6M5.2 4.5v5M10.8 4.5v5M13.2 7v3a4.5 4.5 0 0 1-9 0L2.6 7.8",
  people: "M8 8a2.6 2.6 0 1 0 0-5.200 2.600 2.600 0 0 0 0 5.200ZM3 13.500c.5-2.600 2.500-4 5-4s4.500 1.400 5 4",
};

export function icon(name) {
  return draw("svg", { viewBox: "0 0 16 16", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
    draw("path", { d: SHAPES[name] }));
}

/** What only screen readers say. */
export function unseen(text) {
  return make("span", { class: "unseen" }, text);
}
