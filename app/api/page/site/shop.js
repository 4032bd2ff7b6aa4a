// What the worker last said of the ladders: asked for here, read everywhere.

import { get } from "./api.js";
import { tellOfShop, title } from "./language.js";

const DAYS = 30;
/** The periods that moves are told of, in days. */
export const PERIODS = [1, 7, 30, 365];
const known = { list: null, ladders: new Map(), files: new Map() };

export const list = () => known.list;
export const ladder = (id) => known.ladders.get(id);
export const outline = (id) => known.list?.ladders.find((each) => each.id === id);

export async function loadList(signal) {
  known.list = await get("v1/ladders", signal);
  tellOfShop(known.list);
  return known.list;
}

/** A ladder with the moves of at least so many days; `days` says of how many. */
export async function loadLadder(id, days, signal) {
  const asked = Math.max(DAYS, days);
  const told = await get(`v1/ladders/${encodeURIComponent(id)}?days=${asked}`, signal);
  known.ladders.set(id, { ...told, days: asked });
  return told;
}

export const rungTitle = (ladderId, rungId) => {
  const rung = outline(ladderId)?.rungs.find((each) => each.id === rungId);
  return rung ? title(rung.title, rung.id) : (rungId ?? "");
};

export const ladderTitle = (id) => title(outline(id)?.title, id);

/**
 * How high a rung is, from 0 to 1; null for an override and for none, which are no step of the
 * way. In a segment the first group is the one that counts most.
 */
export function height(of, rungId) {
  const steps = of?.rungs.filter((rung) => !rung.override) ?? [];
  const place = steps.findIndex((rung) => rung.id === rungId);
  if (place < 0) return null;
  const part = steps.length === 1 ? 1 : place / (steps.length - 1);
  return of.kind === "segment" ? 1 - part : part;
}

/** The class and the custom property that colour something as its rung. */
export function tone(of, rungId) {
  const part = height(of, rungId);
  if (part === null) return { class: of?.rungs.some((rung) => rung.id === rungId) ? "tone tone-cover" : "tone tone-none", style: {} };
  return { class: "tone", style: { "--height": `${Math.round(part * 100)}%` } };
}

/** Rungs as they are seen, the highest first; groups as they are written. */
export const fromTop = (of) => (of.kind === "segment" ? of.rungs : of.rungs.toReversed());

/** Whether a move goes up from one rung to another: who is new on the ladder did not climb. */
export const climbed = (move) => move.direction === "up" && move.from !== null;

/** Whether a move goes down from one rung to another: who left the ladder did not fall back. */
export const fell = (move) => move.direction === "down" && move.to !== null;

/** Moves of the last so many days, today included, counted from the day that the shop has. */
export function recentMoves(of, days) {
  const first = new Date(`${of.today}T00:00:00Z`);
  first.setUTCDate(first.getUTCDate() - days + 1);
  const from = first.toISOString().slice(0, 10);
  return of.moves.filter((move) => move.day >= from);
}
