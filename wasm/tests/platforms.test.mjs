// Platforms without a feature: each test removes it from Node.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const ENTRIES = ["../dist/node/index.js", "../dist/index.js"].map((path) => new URL(path, import.meta.url).href);

/** Runs a script in a child process; resolves with its output. */
async function run(script) {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 60_000 });
  return stdout.trim();
}

for (const entry of ENTRIES) {
  test(`${entry.split("/dist/")[1]} works without weak references`, async () => {
    const printed = await run(`
      // Node's own modules need weak references; load them before these are removed.
      void [globalThis.WebSocket, globalThis.Response];
      delete globalThis.FinalizationRegistry;
      delete globalThis.WeakRef;
      const { PresenceClient, Roster } = await import(${JSON.stringify(entry)});
      const client = new PresenceClient({ url: "ws://127.0.0.1:1", instanceId: false, deviceKey: false });
      const isWaiting = new Promise((resolve) => {
        client.addEventListener("connection", ({ connection }) => connection.phase === "waiting" && resolve());
      });
      client.start();
      await isWaiting;
      client.close();
      const roster = new Roster();
      roster.apply('[{"host":"studio","ts":1}]', 1);
      console.log(client.connection.phase, roster.list(1).length);
    `);
    assert.equal(printed, "stopped 1");
  });

  test(`${entry.split("/dist/")[1]} reports a missing WebAssembly`, async () => {
    const printed = await run(`
      delete globalThis.WebAssembly;
      const { PresenceClient, Roster, ready } = await import(${JSON.stringify(entry)});
      const said = [];
      const say = ({ code, remedy }) => said.push(code, /WebAssembly/.test(remedy));
      await ready().catch(say);
      try { new Roster(); } catch (error) { say(error); }
      await new PresenceClient({ instanceId: false, deviceKey: false }).start().connected().catch(say);
      console.log(said.join());
    `);
    assert.equal(printed, Array(3).fill("NO_WEBASSEMBLY,true").join());
  });

  test(`${entry.split("/dist/")[1]} loads without blocking`, async () => {
    const printed = await run(`
      // The constructor compiles synchronously, unlike WebAssembly.compile.
      WebAssembly.Module = new Proxy(WebAssembly.Module, { construct: () => { throw new Error("blocks"); } });
      const { isReady, PresenceClient, ready } = await import(${JSON.stringify(entry)});
      let turns = 0;
      const count = () => { turns += 1; if (!isReady()) setImmediate(count); };
      setImmediate(count);
      const client = new PresenceClient({ url: "ws://127.0.0.1:1", instanceId: false, deviceKey: false }).start();
      console.log(isReady());
      await ready();
      client.close();
      console.log(isReady(), turns > 0);
    `);
    assert.equal(printed, "false\ntrue true");
  });

  test(`${entry.split("/dist/")[1]} loads without DecompressionStream`, async () => {
    const printed = await run(`
      delete globalThis.DecompressionStream;
      const { isReady, ready } = await import(${JSON.stringify(entry)});
      await ready();
      console.log(isReady());
    `);
    assert.equal(printed, "true");
  });
}

test("a stopped client with rows lets the Node process end", async () => {
  const entry = (name) => JSON.stringify(new URL(`../dist/${name}.js`, import.meta.url).href);
  const printed = await run(`
    const { PresenceClient } = await import(${entry("node/index")});
    const { TestGateway } = await import(${entry("testing")});
    const gateway = new TestGateway();
    gateway.entries = [{ host: "studio", instanceId: "mac-1" }];
    const stop = new AbortController();
    // Without the virtual clock of the gateway.
    const client = new PresenceClient({ ...gateway.options, clock: undefined });
    client.subscribe(() => {});
    client.start({ signal: stop.signal });
    await client.connected();
    while (client.roster.rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort();
    const stoppedMs = performance.now();
    process.on("exit", () => console.log(client.connection.phase, client.roster.rows.length, performance.now() - stoppedMs < 2_000));
  `);
  assert.equal(printed, "stopped 1 true");
});

test("the option `shared` names the import that it needs, and makes a separate client outside pages", async () => {
  const entry = (name) => JSON.stringify(new URL(`../dist/${name}.js`, import.meta.url).href);
  const printed = await run(`
    const { PresenceClient } = await import(${entry("node/index")});
    try { new PresenceClient({ shared: true }); } catch (error) { console.log(error.code, error.message); }
    await import(${entry("shared")});
    const client = new PresenceClient({ shared: true, url: "ws://127.0.0.1:1", instanceId: "own", deviceKey: false }).start();
    for await (const { connection } of client) if (connection.phase === "waiting") break;
    console.log(client.instanceId);
    client.close();
  `);
  assert.equal(printed, 'INVALID_ARGUMENT invalid options.shared: import "openclaw-presence/shared" first\nown');
});

test("a module that cannot be fetched refuses the client with a code about the module", async () => {
  const printed = await run(`
    const { init, PresenceClient } = await import(${JSON.stringify(new URL("../dist/slim.js", import.meta.url).href)});
    const loading = init("http://127.0.0.1:1/core.wasm").catch(({ name }) => console.log(name));
    const client = new PresenceClient({ url: "ws://127.0.0.1:1", instanceId: false, deviceKey: false }).start();
    await client.connected().catch(({ code }) => console.log(code));
    await loading;
  `);
  assert.deepEqual(printed.split("\n").sort(), ["TypeError", "WASM_INVALID"]);
});

test("a browser's name and system are read from its user agent", async () => {
  const agents = {
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15": "Safari,macos,Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/123.0 Mobile/15E148 Safari/604.1":
      "Chrome,ios,iPhone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/124.0 Mobile/15E148 Safari/605.1.15":
      "Firefox,ios,iPhone",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0 Mobile Safari/537.36 EdgA/123.0": "Edge,android,Android",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0 Safari/537.36": "Chrome,chromeos,Linux",
    "Mozilla/5.0 (Windows NT 10.0; rv:124.0) Gecko/20100101 Firefox/124.0": "Firefox,windows,Windows",
    "Links (2.29)": "Browser,web,",
  };
  const printed = await run(`
    Object.assign(globalThis, { window: globalThis, document: {} });
    let touch = 0;
    let agent;
    Object.defineProperty(globalThis, "navigator", { get: () => ({ userAgent: agent, maxTouchPoints: touch }) });
    const { platform } = await import(${JSON.stringify(new URL("../dist/platform.js", import.meta.url).href)});
    const name = () => { const { displayName, platform: system, deviceFamily } = platform().clientInfo(); return [displayName, system, deviceFamily].join(); };
    const names = [];
    for (agent of ${JSON.stringify(Object.keys(agents))}) names.push(name());
    [agent, touch] = [${JSON.stringify(Object.keys(agents)[0])}, 5];
    names.push(name());
    console.log(names.join("\\n"));
  `);
  assert.deepEqual(printed.split("\n"), [...Object.values(agents), "Safari,ipados,iPad"]);
});
