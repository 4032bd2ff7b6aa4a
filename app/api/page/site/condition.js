// Conditions (contract section 3): text to a tree, and a tree to true or false for given facts.
// Only for showing: what counts was decided by the worker.

import { computed, isNumber, literal } from "./numbers.js";

const TOKEN = /\s*(?:(\d+(?:\.\d*)?|\.\d+)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([\p{L}_][\p{L}\p{M}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{M}\p{N}_]*)?)|(<=|>=|==|!=|[<>+\-*()[\],]))/uy;
const ORDER = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };
const WORDS = new Set(["and", "or", "not", "in", "true", "false", "none"]);
const NOT_COMPUTED = Symbol("computed with none");

/** Throws SyntaxError for what is no condition. */
export function parse(text) {
  const tokens = tokenise(text);
  let at = 0;
  const peek = (value) => tokens[at]?.value === value && tokens[at].kind !== "text";
  const take = (value) => (peek(value) ? tokens[at++] : null);
  const need = (value) => take(value) ?? fail();
  const fail = () => { throw new SyntaxError(`not a condition: ${text}`); };

  const either = () => many("or", both);
  const both = () => many("and", negation);
  function many(op, part) {
    const parts = [part()];
    while (take(op)) parts.push(part());
    return parts.length === 1 ? parts[0] : { op, parts };
  }
  function negation() {
    return take("not") ? { op: "not", part: negation() } : comparison();
  }
  function comparison() {
    const first = sum();
    const rest = [];
    for (let op = operator(); op; op = operator()) rest.push({ op, value: sum() });
    return rest.length ? { op: "compare", first, rest } : first;
  }
  function operator() {
    for (const op of ["==", "!=", "<=", ">=", "<", ">", "in"]) if (take(op)) return op;
    if (peek("not") && tokens[at + 1]?.value === "in") { at += 2; return "not in"; }
    return null;
  }
  const sum = () => chain(["+", "-"], product);
  const product = () => chain(["*"], signed);
  function chain(ops, part) {
    let left = part();
    for (let op = ops.find(peek); op; op = ops.find(peek)) { at += 1; left = { op, left, right: part() }; }
    return left;
  }
  function signed() {
    if (take("+")) return signed();
    if (take("-")) return { op: "-", left: { op: "value", value: 0 }, right: signed() };
    return atom();
  }
  function atom() {
    if (take("(")) { const inner = either(); need(")"); return inner; }
    if (take("[")) return list();
    const token = tokens[at++] ?? fail();
    if (token.kind === "number") return { op: "value", value: literal(token.value) };
    if (token.kind === "text") return { op: "value", value: token.value };
    if (token.kind !== "name") fail();
    if (token.value === "true" || token.value === "false") return { op: "value", value: token.value === "true" };
    if (token.value === "none") return { op: "value", value: null };
    if (WORDS.has(token.value)) fail();
    return fact(token);
  }
  function list() {
    const values = [];
    while (!take("]")) { values.push(atom()); if (!take(",") && !peek("]")) fail(); }
    return { op: "list", values };
  }
  function fact(token) {
    const args = [];
    let end = token.end;
    if (take("(")) {
      do args.push(Number((tokens[at++] ?? fail()).value)); while (take(","));
      end = need(")").end;
    }
    return { op: "fact", name: token.value, args, text: text.slice(token.begin, end) };
  }

  const tree = either();
  return at === tokens.length ? tree : fail();
}

function tokenise(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new SyntaxError(`not a condition: ${text.slice(from)}`);
    const [whole, number, quoted, name, sign] = found;
    const end = TOKEN.lastIndex;
    const begin = end - whole.trimStart().length;
    if (number !== undefined) tokens.push({ kind: "number", value: number, begin, end });
    else if (quoted !== undefined) tokens.push({ kind: "text", value: quoted.slice(1, -1).replace(/\\(.)/g, "$1"), begin, end });
    else if (name !== undefined) tokens.push({ kind: "name", value: name, begin, end });
    else tokens.push({ kind: "sign", value: sign, begin, end });
  }
  return tokens;
}

/** Whether it holds, with the values that the API gives for its facts. */
export function holds(tree, facts) {
  return truth(value(tree, facts));
}

function truth(found) {
  if (found === NOT_COMPUTED || found === null) return false;
  return Array.isArray(found) ? found.length > 0 : Boolean(found);
}

export function value(tree, facts) {
  switch (tree.op) {
    case "value": return tree.value;
    case "list": return tree.values.map((each) => value(each, facts));
    case "fact": return facts[tree.text] ?? null;
    case "and": return tree.parts.every((part) => holds(part, facts));
    case "or": return tree.parts.some((part) => holds(part, facts));
    case "not": return !holds(tree.part, facts);
    case "compare": return compare(tree, facts);
    default: return compute(tree.op, value(tree.left, facts), value(tree.right, facts));
  }
}

function compute(op, left, right) {
  return isNumber(left) && isNumber(right) ? computed(op, left, right) : NOT_COMPUTED;
}

function compare(tree, facts) {
  let left = value(tree.first, facts);
  for (const { op, value: other } of tree.rest) {
    const right = value(other, facts);
    if (!related(op, left, right)) return false;
    left = right;
  }
  return true;
}

function related(op, left, right) {
  if (left === NOT_COMPUTED || right === NOT_COMPUTED) return false;
  if (op === "==") return same(left, right);
  if (op === "!=") return !same(left, right);
  if (op === "in" || op === "not in") {
    if (left === null || !Array.isArray(right)) return false;
    return right.some((each) => same(each, left)) === (op === "in");
  }
  const alike = isNumber(left) ? isNumber(right) : typeof left === typeof right;
  if (left === null || right === null || !alike || typeof left === "boolean") return false;
  return ORDER[op](left, right);
}

function same(left, right) {
  // Not ===, which holds of no number and BigInt.
  if (isNumber(left) && isNumber(right)) return left == right;
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return left.length === right.length && left.every((each, index) => same(each, right[index]));
}
