// The expected results. All consumers run apps/use.js, so their results are equal.
import assert from "node:assert/strict";

export const EXPECTED = { first: "Idle", rows: ["gateway-host", "Ana"], label: "macOS 26.1", code: "INVALID_ARGUMENT" };

/** What an app's own test sees (apps/tested.js). */
export const TESTED = ["", "studio: Active", "studio: Idle", ""];

/** What a page shows of a gateway (apps/live.js). */
const LIVE = { ok: true, rows: ["gateway-host", "Ana"], element: ["Ana", "gateway-host"], hooks: "gateway-host,Ana" };

/** Checks the result of a page that also connects to a gateway. */
export function assertLivePage(page) {
  assertPage(page);
  assert.deepEqual(page.live, LIVE);
}

/** Checks the result of a page, and that it had no problems. */
export function assertPage({ outcome, problems }) {
  assert.deepEqual(outcome, EXPECTED);
  assert.deepEqual(problems, []);
}
