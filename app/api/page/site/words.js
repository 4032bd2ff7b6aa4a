// A rule in words, and how far a customer is from it.

import { holds, parse, value } from "./condition.js";
import { ATTRIBUTES, NEEDS, SUGGESTIONS, VALUES, factOf } from "./facts.js";
import { language, listed, money, number, plural, say } from "./language.js";
import { computed, isNumber, plus } from "./numbers.js";

const FLIPPED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" };

/** The whole rule as one phrase; the rule itself where it cannot be read. */
export function phrase(rule) {
  const tree = read(rule);
  return tree ? told(tree) : rule;
}

/**
 * What a rule asks for, as a tree: {kind: "all" | "any" | "clause", holds, parts, text, now,
 * missing}. `now` and `missing` are words, or null.
 */
export function demands(rule, facts) {
  const tree = read(rule);
  return tree ? demand(tree, facts) : { kind: "clause", holds: null, text: rule, now: null, missing: null };
}

function read(rule) {
  try { return parse(rule); } catch { return null; }
}

function demand(tree, facts) {
  if (tree.op === "and" || tree.op === "or") {
    const parts = tree.parts.map((part) => demand(part, facts));
    return { kind: tree.op === "and" ? "all" : "any", holds: holds(tree, facts), parts };
  }
  const well = holds(tree, facts);
  return { kind: "clause", holds: well, text: told(tree), now: now(tree, facts), missing: well ? null : missing(tree, facts) };
}

/** What is missing for a rule to hold, as one phrase; null when it holds or nothing can be said. */
export function wanting(found) {
  if (found.holds) return null;
  if (found.kind === "clause") return found.missing ?? found.text;
  const open = found.parts.map(wanting).filter(Boolean);
  return listed(open, found.kind === "all" ? "conjunction" : "disjunction");
}

// Words for a tree.

function told(tree) {
  switch (tree.op) {
    case "and": return listed(tree.parts.map(inner), "conjunction");
    case "or": return listed(tree.parts.map(inner), "disjunction");
    case "not": return negated(tree.part);
    case "compare": return compared(tree);
    case "value": return tree.value === true ? say("rule.always") : literal(tree.value);
    case "fact": return bare(tree);
    default: return quantity(tree);
  }
}

function inner(part) {
  return part.op === "and" || part.op === "or" ? `(${told(part)})` : told(part);
}

/** That something does not hold. */
function negated(node) {
  const unregistered = node.op === "fact" && factOf(node).name === "registered";
  return unregistered ? say("rule.notRegistered") : say("rule.not", { what: told(node) });
}

function bare(node) {
  const fact = factOf(node);
  if (fact.name === "registered") return say("rule.registered");
  if (fact.name === "top_spender") return say("rule.topSpender", { share: number(fact.percent), days: number(fact.days) });
  return quantity(node);
}

function compared(tree) {
  if (tree.rest.length > 1) {
    const ends = [tree.first, ...tree.rest.map((each) => each.value)];
    return listed(tree.rest.map(({ op, value: right }, index) => pair(ends[index], op, right)), "conjunction");
  }
  return pair(tree.first, tree.rest[0].op, tree.rest[0].value);
}

function pair(left, op, right) {
  if (left.op === "value" && right.op !== "value" && FLIPPED[op]) return pair(right, FLIPPED[op], left);
  if (op === "in" || op === "not in") return within(left, op, right);
  if (right.op === "value") {
    const known = left.op === "fact" ? single(left, op, right.value) : together(left, op, right.value);
    if (known) return known;
  }
  return say(`compare.${op}`, { left: quantity(left), right: right.op === "value" ? amount(left, right.value) : quantity(right) });
}

/** The common forms: a fact compared with a value. */
function single(node, op, right) {
  const fact = factOf(node);
  if (right === null) return nothing(fact, node, op);
  if (fact.kind === "flag") return (op === "==") === right ? bare(node) : negated(node);
  if (fact.kind === "money" && right === 0 && (op === ">" || op === ">=")) return say("rule.any", { what: quantity(node) });
  if (fact.kind === "count" && Number.isInteger(right) && op !== "!=") return counted(fact, op, right);
  if (fact.kind === "need" && (op === ">=" || op === ">")) {
    const level = NEEDS[language()][op === ">" ? right + 1 : right] ?? number(right);
    return recently(say("rule.need", { level }), fact.days);
  }
  return null;
}

function nothing(fact, node, op) {
  const some = op === "!=";
  if (fact.name === "card") return say(some ? "rule.card" : "rule.noCard");
  return say(some ? "rule.known" : "rule.unknown", { what: quantity(node) });
}

/** Counts that are added up: "at least 1 positive review or testimonial". */
function together(left, op, right) {
  const facts = addedUp(left);
  if (facts === null || !Number.isInteger(right) || op === "!=") return null;
  const [{ days }] = facts;
  if (facts.some((fact) => fact.days !== days)) return null;
  return counted({ days, nouns: (count) => listed(facts.map((fact) => noun(fact, count)), "disjunction") }, op, right);
}

function counted(fact, op, right) {
  const what = (count) => (fact.nouns ? fact.nouns(count) : noun(fact, count));
  const none = (op === "==" && right === 0) || (op === "<=" && right === 0) || (op === "<" && right === 1);
  if (none) return recently(say("count.none", { what: what(0) }), fact.days);
  const [name, count] = op === ">" ? [">=", right + 1] : op === "<" ? ["<=", right - 1] : [op, right];
  return recently(say(`count.${name}`, { count, what: what(count) }), fact.days);
}

function within(left, op, right) {
  const has = op === "in";
  if (left.op === "value") return say(has ? "rule.includes" : "rule.excludes", { what: quantity(right), item: literal(left.value) });
  const items = right.op === "list" ? listed(right.values.map((each) => literal(each.value)), "disjunction") : quantity(right);
  return say(has ? "rule.oneOf" : "rule.noneOf", { what: quantity(left), items });
}

/** A fact or what is computed of facts, as a thing that can be more or less. */
function quantity(node) {
  if (node.op === "value") return literal(node.value);
  if (node.op === "list") return listed(node.values.map((each) => literal(each.value)));
  if (node.op === "+") return say("rule.sum", { left: quantity(node.left), right: quantity(node.right) });
  if (node.op === "-") return say("rule.difference", { left: quantity(node.left), right: quantity(node.right) });
  if (node.op === "*") return say("rule.product", { left: quantity(node.left), right: quantity(node.right) });
  if (node.op !== "fact") return told(node);
  const fact = factOf(node);
  if (fact.kind === "attribute") return attribute(fact.attribute);
  return recently(noun(fact, 2) ?? node.text, fact.days);
}

function noun(fact, count) {
  const name = fact[language()];
  return Array.isArray(name) ? name[plural(count) === "one" ? 0 : 1] : name;
}

/** What a rung suggests to marketing. */
export const suggestion = (word) => SUGGESTIONS[word]?.[language()] ?? word.replaceAll("-", " ");

export const attribute = (name) => ATTRIBUTES[name]?.[language()] ?? name.replaceAll("_", " ");

const recently = (text, days) => (days === null ? text : days === 1 ? say("rule.today", { text }) : say("rule.recently", { text, days }));

function literal(found) {
  if (found === null) return say("value.none");
  if (typeof found === "boolean") return say(found ? "value.yes" : "value.no");
  if (isNumber(found)) return number(found, 3);
  if (Array.isArray(found)) return found.length ? listed(found.map(literal)) : say("value.none");
  return VALUES[found]?.[language()] ?? found;
}

/** A value as the fact beside it is counted: money as money. */
function amount(beside, found) {
  const fact = measure(beside);
  if (!isNumber(found)) return literal(found);
  if (fact?.kind === "money") return money(found);
  if (fact?.kind === "need") return NEEDS[language()][found] ?? number(found);
  return number(found, 3);
}

/** The fact that says what a quantity is measured in. */
function measure(node) {
  if (node.op === "fact") return factOf(node);
  return node.left ? (measure(node.left) ?? measure(node.right)) : null;
}

/** The value of a fact of a rule, in words: "3 purchases in the last 365 days". */
export function valued(name, found) {
  const tree = read(name);
  if (tree?.op !== "fact") return `${name}: ${literal(found)}`;
  const fact = factOf(tree);
  if (fact.kind === "flag") return found ? bare(tree) : negated(tree);
  if (found === null) return nothing(fact, tree, "==");
  if (fact.kind === "count" && isNumber(found)) return recently(`${number(found)} ${noun(fact, found)}`, fact.days);
  return `${quantity(tree)}: ${amount(tree, found)}`;
}

/** The facts that decided: of alternatives those that held, of demands those that did not. */
export function deciding(rule, facts) {
  const tree = read(rule);
  const names = tree ? [...new Set(decisive(tree, facts))] : Object.keys(facts);
  return names.filter((name) => name in facts).map((name) => [name, facts[name]]);
}

function decisive(tree, facts) {
  if (tree.op === "fact") return [tree.text];
  const well = holds(tree, facts);
  if (tree.op === "and" || tree.op === "or") {
    const some = tree.parts.filter((part) => holds(part, facts) === well);
    return some.flatMap((part) => decisive(part, facts));
  }
  const inside = [tree.part, tree.left, tree.right, tree.first, ...(tree.rest ?? []).map((each) => each.value)];
  return inside.filter(Boolean).flatMap((part) => decisive(part, facts));
}

/** How a fact is called, and its value, apart. */
export function entry(name, found) {
  const tree = read(name);
  return tree?.op === "fact" ? [bareName(tree), amount(tree, found)] : [name, literal(found)];
}

function bareName(node) {
  return factOf(node).name === "top_spender" ? bare(node) : quantity(node);
}

// How far a customer is.

function now(tree, facts) {
  if (tree.op !== "compare") return tree.op === "fact" ? literal(value(tree, facts)) : null;
  const sides = [tree.first, ...tree.rest.map((each) => each.value)].filter((side) => side.op !== "value" && side.op !== "list");
  if (!sides.length) return null;
  return sides.map((side) => {
    const found = value(side, facts);
    return typeof found === "symbol" ? literal(null) : amount(side, found);
  }).join(" : ");
}

function missing(tree, facts) {
  if (tree.op === "fact" && tree.name === "registered") return say("missing.registered");
  if (tree.op === "compare" && tree.first.name === "card" && tree.rest[0].op === "!=") return say("missing.card");
  if (tree.op !== "compare" || tree.rest.length > 1) return null;
  const [left, op, right] = upright(tree);
  if (right.op !== "value" || !isNumber(right.value) || (op !== ">=" && op !== ">")) return null;
  const has = value(left, facts);
  if (!isNumber(has)) return null;
  const fact = measure(left);
  const short = plus(computed("-", right.value, has), op === ">" && fact?.kind !== "money" ? 1 : 0);
  if (fact?.kind === "money") return say("missing.money", { amount: money(short), what: quantity(left) });
  if (left.op === "fact" && fact?.kind === "count") return recently(say("missing.count", { count: short, what: noun(fact, short) }), fact.days);
  const counts = addedUp(left);
  return counts === null ? null : missingOf(counts, short);
}

function missingOf(facts, short) {
  const [{ days }] = facts;
  const alike = facts.every((fact) => fact.days === days);
  const nouns = facts.map((fact) => (alike ? noun(fact, short) : recently(noun(fact, short), fact.days)));
  const text = say("missing.sum", { count: short, what: listed(nouns, "disjunction") });
  return alike ? recently(text, days) : text;
}

/** The counts of a sum of nothing but counts; null for anything else. */
function addedUp(node) {
  const addends = (each) => (each.op === "+" ? [...addends(each.left), ...addends(each.right)] : [each]);
  const nodes = node.op === "+" ? addends(node) : [];
  const facts = nodes.map((each) => (each.op === "fact" ? factOf(each) : null));
  return facts.length && facts.every((fact) => fact?.kind === "count") ? facts : null;
}

function upright(tree) {
  const { op, value: right } = tree.rest[0];
  return tree.first.op === "value" && FLIPPED[op] ? [right, FLIPPED[op], tree.first] : [tree.first, op, right];
}
