// Whole numbers of any size, as the API gives them. JavaScript's own keep 53 bits, so what is beyond
// is a BigInt, and everything else a number: sums of money, and nothing else, are ever so large.

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const WHOLE = /^-?\d+$/;
const MARK = "\u0001";
const COMPUTE = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b };

/** What a JSON text says, with every digit of its whole numbers. */
export function exactly(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const marked = text.replace(TOKEN, (token) => (WHOLE.test(token) && !Number.isSafeInteger(Number(token)) ? `{"\\u0001":"${token}"}` : token));
  return JSON.parse(marked, (_, value) => (value !== null && typeof value === "object" && MARK in value ? BigInt(value[MARK]) : value));
}

/** A number as it is written in a rule. */
export function literal(text) {
  return WHOLE.test(text) ? fitted(BigInt(text)) : Number(text);
}

export const isNumber = (value) => typeof value === "number" || typeof value === "bigint";

export const plus = (left, right) => computed("+", left, right);

/** `op` is one of + - *; of whole numbers the result is exact. */
export function computed(op, left, right) {
  if (!isWhole(left) || !isWhole(right)) return COMPUTE[op](Number(left), Number(right));
  const near = typeof left === "number" && typeof right === "number" ? COMPUTE[op](left, right) : NaN;
  return Number.isSafeInteger(near) ? near : fitted(COMPUTE[op](BigInt(left), BigInt(right)));
}

/** A share of something, or how much there is for each: near enough to look at. */
export function divided(whole, parts) {
  return typeof whole === "bigint" ? fitted(whole / BigInt(parts)) : Math.round(whole / parts);
}

const isWhole = (value) => typeof value === "bigint" || Number.isInteger(value);

function fitted(big) {
  const near = Number(big);
  return Number.isSafeInteger(near) ? near : big;
}
