// Browsers without any tool: modules by URL, by import map, in a worker, and under a Content-Security-Policy.
import assert from "node:assert/strict";

import { assertPage, EXPECTED } from "../lib/expected.mjs";
import { outcomeOf } from "../lib/browser.mjs";
import { app, APPS } from "../lib/install.mjs";
import { serve } from "../lib/serve.mjs";

async function visit(page, headers) {
  app("pages");
  const server = await serve(APPS, headers);
  try {
    return await outcomeOf(`${server.url}/pages/${page}`);
  } finally {
    await server.close();
  }
}

const STRICT = "default-src 'none'; connect-src 'self'; script-src 'self'";

export const pages = [
  { name: "page: module by URL", run: async () => assertPage(await visit("url.html")) },
  { name: "page: import map", run: async () => assertPage(await visit("map.html")) },
  { name: "page: worker", run: async () => assertPage(await visit("worker.html")) },
  { name: "page: slim, fetched", run: async () => assertPage(await visit("slim.html")) },
  {
    name: "page: CSP with wasm-unsafe-eval",
    run: async () => {
      const csp = `${STRICT} 'wasm-unsafe-eval'`;
      assert.deepEqual((await visit("url.html", { "content-security-policy": csp })).outcome, EXPECTED);
    },
  },
  {
    name: "page: CSP without wasm-unsafe-eval says so",
    run: async () => {
      const { outcome } = await visit("blocked.html", { "content-security-policy": STRICT });
      assert.deepEqual(outcome, ["WASM_BLOCKED", "WASM_BLOCKED"]);
    },
  },
];
