// What every consumer must come to: the same code (apps/use.js) runs in all of them.
import assert from "node:assert/strict";

export const EXPECTED = { first: "Idle", rows: ["gateway-host", "Ana"], label: "macOS 26.1", code: "INVALID_ARGUMENT" };

/** Checks what a page came to, and that it had nothing to complain about. */
export function assertPage({ outcome, problems }) {
  assert.deepEqual(outcome, EXPECTED);
  assert.deepEqual(problems, []);
}
