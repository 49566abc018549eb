// The suites, vectors and gateway tests in Firefox, if it is installed.

import { after, before, describe, test } from "node:test";

import * as assert from "../lib/assert.mjs";
import { firefoxPath, startFirefox } from "../lib/firefox.mjs";
import { startGateway } from "../lib/gateway.mjs";
import { serve } from "../lib/server.mjs";
import { digest, schemaCheck, vectorFiles } from "../lib/vectors-node.mjs";
import * as presence from "../lib/presence-node.mjs";
import { SUITES } from "../suites/index.mjs";
import { runVectors } from "../vectors/run.mjs";
import { readSuite } from "../vectors/suite.mjs";

describe("Firefox", { skip: firefoxPath() ? false : "Firefox was not found: install firefox-esr, or set FIREFOX" }, () => {
  const ends = [];
  let firefox;
  let origin;
  before(async () => {
    const t = { after: (end) => ends.unshift(end) };
    origin = await serve(t);
    firefox = await startFirefox(t);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** Runs a job of `../browser/jobs.mjs` in a new tab. */
  const inTab = async (job, given) => {
    const tab = await firefox.open(`${origin}/tests/browser/page.html`);
    return tab.evaluate(async ([job, given]) => (await import("/tests/browser/jobs.mjs"))[job](given), [job, given]);
  };

  test("vectors give the digest of Node", async () => {
    const files = vectorFiles();
    const result = await inTab("runAllVectors", files.map(([name]) => name));
    assert.equal(result.failures.length, 0, result.failures.join("\n  "));
    const inNode = await runVectors(presence, await readSuite(files, schemaCheck()), digest);
    assert.equal(result.digest, inNode.digest);
  });

  for (const name of Object.keys(SUITES)) {
    test(name, async (t) => {
      for (const { name: part, error } of await inTab("runSuite", name)) {
        await t.test(part, () => {
          if (error) throw new Error(error);
        });
      }
    });
  }

  test("a real gateway", async (t) => {
    const { url, token } = await startGateway(t);
    const tab = await firefox.open(`${origin}/tests/browser/page.html`);
    const seen = await tab.evaluate(
      async ({ url, token }) => {
        const { PresenceClient } = await import("openclaw-presence");
        const client = new PresenceClient({ url, token }).start();
        await client.connected();
        for await (const { rows } of client) if (rows.some(({ isOwn }) => isOwn)) break;
        await client.beacon();
        const { ok } = await client.request("health");
        const rows = client.roster.rows.map(({ host, isOwn, isSelf }) => [isSelf ? "gateway" : host, isOwn]);
        client.close();
        return { ok, rows, phase: client.connection.phase };
      },
      { url, token },
    );
    assert.deepEqual(seen, { ok: true, rows: [["gateway", false], ["Firefox", true]], phase: "stopped" });
  });
});
