// Runs the garbage collector, for tests of what is collected.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/** More turns than any object here needs to be collected and finalised. */
const MOST_TURNS = 50;

/** Collects garbage until `isDone` returns true, for example because of a finaliser. Returns whether it did. */
export async function collectUntil(isDone) {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    // An object read from a weak reference stays alive until the end of the turn.
    await nextTurn();
    gc();
    await nextTurn();
    if (isDone()) return true;
  }
  return false;
}

function nextTurn() {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** Collects garbage for the longest time that {@link collectUntil} takes. */
export const collectAll = () => collectUntil(() => false);
