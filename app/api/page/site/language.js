// The language that is chosen, and numbers, money and dates as its readers write them.

import { isNumber } from "./numbers.js";
import { texts } from "./texts.js";

const KEPT = "ladder.language";
export const languages = { en: "English", vi: "Tiếng Việt" };
const LOCALES = { en: "en-GB", vi: "vi-VN" };

let shop = { currency: "VND", digits: 0, timezone: "UTC" };

export const language = () => (document.documentElement.lang === "vi" ? "vi" : "en");
const locale = () => LOCALES[language()];

export function choose(chosen) {
  document.documentElement.lang = chosen;
  try { localStorage.setItem(KEPT, chosen); } catch { /* private mode: it holds for this visit */ }
}

/** The currency, the digits of its minor unit, and the time zone that everything is written in. */
export function tellOfShop(told) {
  shop = { currency: told.currency, digits: told.currency_digits, timezone: told.timezone };
}

/** A text of the page. What is in braces is taken from `values`; numbers choose the plural. */
export function say(name, values = {}) {
  const known = texts[name];
  if (known === undefined) throw new Error(`no text ${name}`);
  const text = known[language() === "vi" ? 1 : 0];
  const chosen = Array.isArray(text) ? text[plural(values.n) === "one" ? 0 : 1] : text;
  return chosen.replace(/\{(\w+)\}/g, (_, key) => (isNumber(values[key]) ? number(values[key]) : values[key]));
}

export const plural = (count) => new Intl.PluralRules(locale()).select(Number(count));

/** A title by language, as definitions have it; `id` where there is none. */
export function title(titles, id) {
  return titles?.[language()] ?? titles?.en ?? Object.values(titles ?? {})[0] ?? id;
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

export const share = (value) =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: value > 0 && value < 0.1 ? 1 : 0 }).format(value);

/**
 * Minor units as money; `brief` shortens millions. The digits are those that the worker counts by:
 * a browser leaves out cents that people do not pay with (IDR, LBP, and others).
 */
export function money(minor, brief = false) {
  const { digits } = shop;
  const major = typeof minor === "bigint" ? decimal(minor, digits) : minor / 10 ** digits;
  const even = Number.isInteger(major) || typeof major === "bigint";
  const options = brief && Math.abs(Number(major)) >= 10_000
    ? { notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 }
    : { maximumFractionDigits: even ? 0 : digits, minimumFractionDigits: even ? 0 : digits };
  return new Intl.NumberFormat(locale(), { style: "currency", currency: shop.currency, currencyDisplay: "narrowSymbol", ...options })
    .formatToParts(major).map(spelt).join("");
}

/** What a browser shortens to a letter in Vietnamese, as people say it: 2,6 tỷ. */
const SPELT = { N: "nghìn", Tr: "triệu", T: "tỷ", NT: "nghìn tỷ" };
const spelt = ({ type, value }) => (type === "compact" && language() === "vi" ? (SPELT[value] ?? value) : value);

/** Minor units beyond the numbers of the language in major ones: a BigInt, or decimal text. */
function decimal(minor, digits) {
  const unit = 10n ** BigInt(digits);
  if (minor % unit === 0n) return minor / unit;
  const text = String(minor < 0n ? -minor : minor);
  return `${minor < 0n ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const dated = (options) => (instant) =>
  new Intl.DateTimeFormat(locale(), { timeZone: shop.timezone, ...options }).format(new Date(instant));
const inLetters = dated({ day: "numeric", month: "short", year: "numeric" });
const inNumbers = dated({ day: "numeric", month: "numeric", year: "numeric" });
export const clock = dated({ hour: "2-digit", minute: "2-digit" });
/** 27 Jun 1998; 27/6/1998. */
export const date = (instant) => (language() === "vi" ? inNumbers : inLetters)(instant);
export const moment = (instant) => `${date(instant)}, ${clock(instant)}`;
export const month = dated({ month: "long", year: "numeric" });
export const year = dated({ year: "numeric" });

/** The calendar day of an instant where the shop is: 2026-03-01. */
export function dayOf(instant) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: shop.timezone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));
}

const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** Seconds in the largest unit that they fill: 41 days. */
export function span(seconds) {
  const [unit, size] = STEPS.find(([, each]) => seconds >= each) ?? STEPS.at(-1);
  const count = seconds / size;
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: unit === "day" && count < 10 ? 1 : 0 }).format(count);
}

export const listed = (items, type = "conjunction") => new Intl.ListFormat(locale(), { type }).format(items);
