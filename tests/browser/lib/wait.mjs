// Waiting with an end.

import assert from "node:assert/strict";

/** How long anything may take, in ms: far beyond what it takes on a busy machine. */
export const LIMIT_MS = 30_000;

/** Waits until `ask` returns something, and returns it. */
export async function within(what, ask) {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) assert.fail(`${what}: not within ${LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
