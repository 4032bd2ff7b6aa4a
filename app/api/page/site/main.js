// Wires the page: which part is shown, when it is asked for again, and what happens when asking fails.

import { Problem, token } from "./api.js";
import { CustomerPage } from "./customer-page.js";
import { make, replace } from "./dom.js";
import { header } from "./header.js";
import { ladderList } from "./ladder-list.js";
import { LadderPage } from "./ladder-page.js";
import { say } from "./language.js";
import { list, loadList } from "./shop.js";
import { Changes } from "./stream.js";
import { askForToken, asking } from "./token.js";

const REFRESHED = 15_000;
const SETTLED = 1_500;
const RETRIED = 3_000;

const at = (id) => document.getElementById(id);
const main = at("main");
const changes = new Changes();
let page = null;
let asked = null;
let again = null;
let due = null;
let refreshed = 0;

function speak(text) {
  const said = at("said");
  // The same words twice are said only if they were gone in between.
  said.textContent = said.textContent === text ? `${text}\u00a0` : text;
}

function frame() {
  document.title = page?.heading ? `${page.heading} · ${say("app.name")}` : say("app.name");
  at("skip").textContent = say("app.skip");
  header(at("top"), { look, changed: drawAll, forget: token.get() ? forget : null });
  ladderList(at("ladders"), page instanceof LadderPage ? page.id : null);
  replace(at("foot"), list() ? make("p", {}, say("app.foot", { zone: list().timezone, path: "/v1" })) : null);
}

function drawAll() {
  frame();
  page?.draw();
}

function look(id) {
  location.hash = `#/customers/${encodeURIComponent(id)}`;
}

function forget() {
  token.set(null);
  location.reload();
}

// Which part is shown.

function wanted() {
  const [, kind, name] = /^#\/(ladders|customers)\/([^/]+)$/.exec(location.hash) ?? [];
  let id = null;
  try { id = name && decodeURIComponent(name); } catch { /* a cut-off link */ }
  return { kind: id ? kind : null, id };
}

async function go({ focus = true } = {}) {
  page?.end?.();
  page = null;
  const { kind, id } = wanted();
  if (!list() && !(await load(loadList, () => go({ focus })))) return;
  if (kind === "customers") {
    changes.follow(null);
    await show(new CustomerPage(id, main), focus);
  } else await show(new LadderPage(id ?? list().ladders[0].id, main, { changes, speak, fail }), focus);
}

async function show(next, focus) {
  page = next;
  frame();
  if (!focus || !main.hasChildNodes()) replace(main, make("p", { class: "waiting" }, say("wait.loading")));
  if (!(await load((signal) => next.load(signal), () => go({ focus })))) return;
  if (page !== next) return;
  replace(main);
  drawAll();
  if (!focus) return;
  scrollTo({ top: 0, behavior: "instant" });
  at("heading")?.focus({ preventScroll: true });
}

// Asking, and what to do when it fails.

async function load(asks, retry) {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  clearTimeout(again);
  try {
    await asks(signal);
    trouble(null);
    return true;
  } catch (error) {
    if (!signal.aborted) fail(error, retry);
    return false;
  }
}

function fail(error, retry) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) { askForToken(start); return; }
  if (error.status === 404 || error.status === 400) { notFound(); return; }
  trouble(error);
  if (retry) {
    replace(main);
    again = setTimeout(retry, RETRIED);
  }
}

/** Say what is wrong, above what was known before; null when all is well again. */
function trouble(error) {
  const told = at("trouble");
  told.hidden = error === null;
  const text = error === null ? "" : error.status === 0 ? say("error.unreachable")
    : error.status === 503 ? say(error.body.behind_seconds === undefined ? "error.restoring" : "error.behind")
    : say("error.other", { detail: error.message });
  if (told.textContent !== text) told.textContent = text;
}

function notFound() {
  const { kind, id } = wanted();
  const text = kind === "customers" ? say(id.length > 128 ? "look.long" : "look.none", { id }) : say("error.notFound", { id });
  page?.end?.();
  page = null;
  trouble(null);
  frame();
  replace(main, make("p", { class: "back" }, make("a", { href: "#/" }, `← ${say("customer.back")}`)),
    make("p", { class: "notice", role: "alert" }, text));
}

// Fresh numbers: when something has changed, and every now and then.

async function refresh() {
  const current = page;
  refreshed = performance.now();
  if (document.hidden || asking() || !list() || !current) return;
  try {
    await Promise.all([loadList(), current.load()]);
  } catch (error) {
    // Otherwise the next time comes soon.
    if (error.status === 401) askForToken(start);
    else if (error instanceof Problem) trouble(error);
    return;
  }
  trouble(null);
  if (page !== current) return;
  ladderList(at("ladders"), page instanceof LadderPage ? page.id : null);
  page.draw();
}

function refreshSoon() {
  due ??= setTimeout(async () => { due = null; await refresh(); }, SETTLED);
}

function keepFresh() {
  setInterval(() => {
    if (page?.unfinished || performance.now() - refreshed > REFRESHED) refresh();
  }, RETRIED);
}

async function start() {
  changes.close();
  await go({ focus: false });
}

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(resized);
  resized = setTimeout(() => page?.draw(), 150);
});
let resized = null;
// A plain link would change the address, which says what is shown.
at("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => go());
document.addEventListener("visibilitychange", refreshSoon);
changes.addEventListener("change", refreshSoon);
changes.addEventListener("refused", () => { if (!asking()) askForToken(start); });
frame();
start();
keepFresh();
