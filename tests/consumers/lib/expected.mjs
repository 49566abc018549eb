// What every consumer must come to: the same code (apps/use.js) runs in all of them.
import assert from "node:assert/strict";

export const EXPECTED = { first: "Idle", rows: ["gateway-host", "Ana"], label: "macOS 26.1", code: "INVALID_ARGUMENT" };

/** What an app's own test sees (apps/tested.js). */
export const TESTED = ["", "studio: Active", "studio: Idle", ""];

/** What a page shows of a gateway (apps/live.js). */
const LIVE = { ok: true, rows: ["gateway-host", "Ana"], element: ["Ana", "gateway-host"], hooks: "gateway-host,Ana" };

/** Checks what a page came to that is live, too. */
export function assertLivePage(page) {
  assertPage(page);
  assert.deepEqual(page.live, LIVE);
}

/** Checks what a page came to, and that it had nothing to complain about. */
export function assertPage({ outcome, problems }) {
  assert.deepEqual(outcome, EXPECTED);
  assert.deepEqual(problems, []);
}
