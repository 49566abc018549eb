// Waits with a time limit.

import assert from "node:assert/strict";

/** Time limit of every wait, in ms: far longer than any wait takes, even on a busy machine. */
export const LIMIT_MS = 30_000;

/** Waits until `ask` returns a truthy value, and returns that value. */
export async function within(what, ask) {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) assert.fail(`${what}: not within ${LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
