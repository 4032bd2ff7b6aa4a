// The stream of stage changes, of one ladder or of all: one at a time, opened again whenever it ends.

import { events } from "./api.js";
import { exactly } from "./numbers.js";

const KEPT = 200;
const SOON = 1_000;
const LATEST = 15_000;

/**
 * Dispatches "change" (detail: the CloudEvent), "skipped" (detail: a count), "state" and
 * "refused". `recent` are the newest changes by their time, the newest first, however late they come.
 */
export class Changes extends EventTarget {
  recent = [];
  connected = false;
  #seen = new Set();
  #ending = null;
  #ladder = null;

  /** Follow a ladder, or all for null. What was seen of another is forgotten. */
  follow(ladder) {
    if (this.#ending && this.#ladder === ladder) return;
    this.close();
    this.#ladder = ladder;
    this.recent = [];
    this.#seen.clear();
    this.#ending = new AbortController();
    this.#follow(this.#ending.signal);
  }

  close() {
    this.#ending?.abort();
    this.#ending = null;
    this.#tell(false);
  }

  async #follow(signal) {
    let wait = SOON;
    let last = null;
    const path = this.#ladder === null ? "v1/changes" : `v1/changes?ladder=${encodeURIComponent(this.#ladder)}`;
    while (!signal.aborted) {
      try {
        for await (const event of events(path, last, signal)) {
          if (signal.aborted) return;
          wait = SOON;
          this.#tell(true);
          last = event.id ?? last;
          if (event.data !== undefined) this.#take(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401) { this.#tell(false); this.dispatchEvent(new CustomEvent("refused")); return; }
      }
      this.#tell(false);
      await new Promise((done) => { setTimeout(done, wait); });
      wait = Math.min(2 * wait, LATEST);
    }
  }

  #tell(connected) {
    if (this.connected === connected) return;
    this.connected = connected;
    this.dispatchEvent(new CustomEvent("state"));
  }

  #take(event) {
    const told = exactly(event.data);
    if (event.event === "skipped") { this.dispatchEvent(new CustomEvent("skipped", { detail: told.count })); return; }
    if (event.event !== "change" || this.#seen.has(told.id)) return;
    this.#seen.add(told.id);
    if (this.#seen.size > 10 * KEPT) this.#seen = new Set(this.recent.map((each) => each.id));
    const place = this.recent.findIndex((each) => later(told, each));
    this.recent.splice(place < 0 ? this.recent.length : place, 0, told);
    this.recent.length = Math.min(this.recent.length, KEPT);
    this.dispatchEvent(new CustomEvent("change", { detail: told }));
  }
}

/** Whether a change is to be above another: by time, then by what ids are made of. */
function later(one, other) {
  const [left, right] = [order(one), order(other)];
  const differs = left.findIndex((each, place) => each !== right[place]);
  return differs >= 0 && left[differs] > right[differs];
}

// Without its Z a time without a fraction sorts before the same second with one, as it must; in an
// id as text the tenth change would come before the second.
const order = ({ id, subject, time, data }) =>
  [time.replace("Z", ""), data.ladder, subject, data.sequence, id];
