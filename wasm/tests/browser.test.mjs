// The suites, vectors and gateway tests of Node, in headless Chromium.

import { describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";
import { digest, schemaCheck, vectorFiles } from "./lib/vectors-node.mjs";
import * as presence from "./lib/presence-node.mjs";
import { SUITES } from "./suites/index.mjs";
import { runVectors, summary } from "./vectors/run.mjs";
import { readSuite } from "./vectors/suite.mjs";

/** Runs a job of `browser/jobs.mjs` in a new page. */
async function inPage(t, job, argument, exposed = {}) {
  const origin = await serve(t);
  const browser = await startBrowser(t);
  const context = await browser.newContext();
  for (const [name, work] of Object.entries(exposed)) await context.exposeFunction(name, work);
  const page = await openPage(context, `${origin}/tests/browser/page.html`);
  const run = async ([name, given]) => (await import("/tests/browser/jobs.mjs"))[name](given);
  const result = await page.evaluate(run, [job, argument]);
  return { result, page };
}

/** Reports each result of a page as a test. */
async function report(t, results) {
  assert.ok(results.length > 0, "there are tests");
  for (const { name, error } of results) {
    await t.test(name, () => {
      if (error) throw new Error(error);
    });
  }
}

describe("suites in Chromium", () => {
  for (const name of Object.keys(SUITES)) {
    test(name, async (t) => {
      const { result, page } = await inPage(t, "runSuite", name);
      await report(t, result);
      assert.deepEqual(page.complaints, []);
    });
  }
});

test("a real gateway in Chromium", async (t) => {
  const gateway = await startGateway(t);
  const { result } = await inPage(t, "runRealGateway", { url: gateway.url, token: gateway.token }, {
    stopGateway: () => gateway.stop(),
    startGateway: () => gateway.start(),
  });
  await report(t, result);
});

test("vectors in Chromium give the digest of Node", async (t) => {
  const files = vectorFiles();
  const { result } = await inPage(t, "runAllVectors", files.map(([name]) => name));
  console.log(summary(result).replace("wasm", "wasm in Chromium"));
  assert.equal(result.failures.length, 0, result.failures.join("\n  "));
  const inNode = await runVectors(presence, await readSuite(files, schemaCheck()), digest);
  assert.equal(result.digest, inNode.digest);
});
