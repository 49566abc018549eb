// The garbage collector, for tests of what is not kept.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/** More turns than any object here needs to be collected and finalised. */
const MOST_TURNS = 50;

/** Collects garbage until `isDone`, which finalisers may make true. Returns whether it became so. */
export async function collectUntil(isDone) {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    // What a weak reference was asked for is kept until the end of the turn.
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

/** Collects garbage for as long as {@link collectUntil} would at most. */
export const collectAll = () => collectUntil(() => false);
