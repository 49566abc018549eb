// The adapters: each in a component of its framework, in Chromium; and the framework-free store below them.

import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { RosterController } from "../dist/lit.js";
import { shallowEqual, rosterStore } from "../dist/store.js";
import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { bundle } from "./lib/bundle.mjs";
import { serve } from "./lib/server.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const MOUNTS = { lit: "lit.js", react: "react.js", vue: "vue.js", svelte: "svelte.js", solid: "solid.solid.jsx" };

describe("an adapter renders when the selection changes, until it is unmounted", () => {
  for (const [name, file] of Object.entries(MOUNTS)) {
    test(name, async (t) => {
      const contents = `import { mount } from "./${file}"; import { run } from "./scenario.js"; export default () => run(mount);`;
      const entry = name === "react" ? "entry/react.js" : `${name}.js`;
      const body = await bundle(contents, path("browser/adapters"), {
        external: ["openclaw-presence", "openclaw-presence/simulator"],
        alias: { [`openclaw-presence/${name}`]: path(`../dist/${entry}`) },
      });
      const origin = await serve(t, { "/app.js": { body, headers: { "content-type": "text/javascript" } } });
      const browser = await startBrowser(t);
      const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
      const seen = await page.evaluate(async () => (await import("/app.js")).default());
      assert.deepEqual(seen, {
        mounted: "Dashboard,gateway",
        subscribers: 1,
        hasAged: true,
        rendersOfAge: 0,
        joined: "Dashboard,Visitor,gateway",
        rendersOfJoin: 1,
        subscribersAfter: 0,
        rendersAfter: 0,
        mountedAgain: "Dashboard,Late,Visitor,gateway",
        subscribersAtEnd: 0,
      });
      assert.deepEqual(page.complaints, []);
    });
  }
});

/** A client whose snapshots the test sets. */
function source(first) {
  const listeners = new Set();
  let snapshot = first;
  return {
    listeners,
    getSnapshot: () => snapshot,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      snapshot = next;
      for (const listener of listeners) listener();
    },
  };
}

describe("the store", () => {
  test("keeps a selection while newer ones are equal to it", () => {
    const client = source({ rows: ["a", "b"] });
    let runs = 0;
    const store = rosterStore(client, ({ rows }) => {
      runs += 1;
      return rows.filter((row) => row !== "b");
    });
    const reported = [];
    const unsubscribe = store.subscribe((selection) => reported.push(selection));
    const first = store.getSnapshot();
    assert.equal(store.getSnapshot(), first);
    assert.equal(runs, 1, "once for each snapshot");
    client.set({ rows: ["a"] });
    assert.equal(store.getSnapshot(), first);
    assert.deepEqual(reported, []);
    client.set({ rows: ["c"] });
    assert.deepEqual(reported, [["c"]]);
    unsubscribe();
    assert.equal(client.listeners.size, 0);
  });

  test("notifies a subscriber of a change that was read before the notification", () => {
    const client = source({ rows: 1 });
    const store = rosterStore(client, ({ rows }) => rows);
    const reported = [];
    client.subscribe(() => store.getSnapshot());
    store.subscribe((rows) => reported.push(rows));
    client.set({ rows: 2 });
    assert.deepEqual(reported, [2]);
  });

  test("selects the roster by default, and compares with the given function", () => {
    const client = source({ rows: 1 });
    assert.equal(rosterStore(client).getSnapshot(), client.getSnapshot());
    const even = rosterStore(client, ({ rows }) => rows, (a, b) => a % 2 === b % 2);
    assert.equal(even.getSnapshot(), 1);
    client.set({ rows: 3 });
    assert.equal(even.getSnapshot(), 1);
  });

  test("compares members of arrays and plain objects only", () => {
    const row = {};
    for (const [a, b] of [[[row], [row]], [{ row }, { row }], [Number.NaN, Number.NaN], [Object.create(null), {}]]) {
      assert.ok(shallowEqual(a, b));
    }
    const unequal = [[[row], [{}]], [[row], { 0: row }], [{ a: undefined }, { b: 1 }], [[1], [1, 2]], [{}, null], [1, "1"]];
    unequal.push([new Map([[1, 1]]), new Map()], [new Date(1), new Date(2)]);
    for (const [a, b] of unequal) assert.ok(!shallowEqual(a, b));
  });
});

test("Vue and Solid render on a server and leave no subscriber", async () => {
  const body = await bundle(
    `import { createComponent } from "solid-js";
     import { renderToString as renderSolid } from "solid-js/web";
     import { createSSRApp } from "vue";
     import { renderToString as renderVue } from "vue/server-renderer";
     import { createRoster } from "openclaw-presence/solid";
     import { useRoster } from "openclaw-presence/vue";
     const rows = (roster) => roster.rows;
     export async function vue(client) {
       const setup = () => ({ rows: useRoster(client, rows) });
       return renderVue(createSSRApp({ setup, render: (my) => String(my.rows) }));
     }
     export const solid = (client) => renderSolid(() => createComponent(() => createRoster(client, rows)().join(), {}));`,
    path("browser"),
    {
      alias: { "openclaw-presence/vue": path("../dist/vue.js"), "openclaw-presence/solid": path("../dist/solid.js") },
      platform: "node",
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' },
    },
  );
  const apps = await import(`data:text/javascript,${encodeURIComponent(body)}`);
  for (const render of [apps.vue, apps.solid]) {
    const client = source({ rows: ["a"] });
    assert.equal(await render(client), "a");
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(client.listeners.size, 0);
  }
});

test("selectors of Vue and Solid follow the reactive values that they read", async () => {
  const body = await bundle(
    `export { effectScope, ref, shallowRef } from "vue";
     export { createRoot, createSignal } from "solid-js";
     export { createRoster } from "openclaw-presence/solid";
     export { useRoster } from "openclaw-presence/vue";`,
    path("browser"),
    {
      alias: { "openclaw-presence/vue": path("../dist/vue.js"), "openclaw-presence/solid": path("../dist/solid.js") },
      conditions: ["browser"],
    },
  );
  const { createRoot, createRoster, createSignal, effectScope, ref, shallowRef, useRoster } = await import(
    `data:text/javascript,${encodeURIComponent(body)}`
  );
  const client = source({ rows: ["a1", "a2", "b1"] });
  const other = source({ rows: ["a3"] });
  const starting = (begin) => ({ rows }) => rows.filter((row) => row.startsWith(begin));

  const scope = effectScope();
  scope.run(() => {
    const begin = ref("a");
    const shown = shallowRef(client);
    const selection = useRoster(shown, (roster) => starting(begin.value)(roster));
    const first = selection.value;
    assert.deepEqual(first, ["a1", "a2"]);
    client.set({ rows: ["a1", "a2", "b1", "b2"] });
    assert.equal(selection.value, first, "an equal selection is kept");
    begin.value = "b";
    assert.deepEqual(selection.value, ["b1", "b2"]);
    begin.value = "a";
    shown.value = other;
  });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([client.listeners.size, other.listeners.size], [0, 1], "a client that is replaced is left");
  scope.stop();
  assert.equal(other.listeners.size, 0);

  createRoot((dispose) => {
    const [begin, setBegin] = createSignal("a");
    const selection = createRoster(client, (roster) => starting(begin())(roster));
    const first = selection();
    assert.deepEqual(first, ["a1", "a2"]);
    client.set({ rows: ["a1", "a2", "b3"] });
    assert.equal(selection(), first);
    setBegin("b");
    assert.deepEqual(selection(), ["b3"]);
    dispose();
  });
  assert.equal(client.listeners.size, 0);
});

test("the client of a Lit controller can be set later and replaced", () => {
  const updates = [];
  const host = { addController() {}, requestUpdate: () => updates.push(controller.value) };
  const controller = new RosterController(host, undefined, ({ rows }) => rows.length);
  assert.equal(controller.value, 0);
  controller.hostConnected();
  const [one, two] = [source({ rows: ["a"] }), source({ rows: ["a", "b"] })];
  controller.client = one;
  one.set({ rows: ["a", "b", "c"] });
  controller.client = two;
  one.set({ rows: [] });
  assert.deepEqual(updates, [1, 3, 2]);
  assert.deepEqual([one.listeners.size, two.listeners.size], [0, 1]);
  controller.hostDisconnected();
  controller.client = one;
  assert.deepEqual([controller.value, one.listeners.size, two.listeners.size], [0, 0, 0]);
});

test("the module of the hooks is marked as a client module, as ESM and as CommonJS", () => {
  for (const form of ["js", "cjs"]) {
    const code = readFileSync(path(`../dist/entry/react.${form}`), "utf8");
    assert.match(code, /^("use strict";\n)?"use client";\n/, form);
    assert.ok(!code.includes("export *"), "bundlers refuse `export *` in a client module");
  }
});

test("the option `shared` adds less than 4 kB to an app that imports it", async () => {
  const sizes = [];
  for (const more of ["", 'import "./dist/shared.js";']) {
    const stdin = { contents: `${more} export * from "./dist/slim.js";`, resolveDir: path("..") };
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", write: false });
    sizes.push(gzipSync(outputFiles[0].contents, { level: 9 }).length);
  }
  assert.ok(sizes[1] - sizes[0] < 4_000, `${sizes[1] - sizes[0]} bytes`);
});

test("an adapter without React adds less than 1 kB", async () => {
  for (const name of ["store", "lit", "vue", "svelte", "solid"]) {
    const options = { bundle: true, minify: true, format: "esm", write: false, external: ["vue", "solid-js"] };
    const { outputFiles } = await build({ entryPoints: [path(`../dist/${name}.js`)], ...options });
    const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    console.log(`/${name}: ${bytes} bytes gzipped`);
    assert.ok(bytes < 1_000, `/${name} is ${bytes} bytes`);
  }
});
