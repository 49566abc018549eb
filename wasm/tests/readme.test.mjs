// Runs every snippet of the package's README and of the WebChat developer's guide at a real gateway.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { bundle } from "./lib/bundle.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** By framework: the file name of the snippet, and a module that mounts it in an app. */
const APPS = {
  react: ["app.tsx", 'import { createRoot } from "react-dom/client"; createRoot(main).render(<app.Presence />);'],
  lit: ["app.js", 'main.append(document.createElement("active-count"));'],
  vue: ["app.vue", 'import { createApp } from "vue"; createApp(app.default).mount(main);'],
  svelte: ["app.svelte", 'import { mount } from "svelte"; mount(app.default, { target: main });'],
  solid: ["app.solid.jsx", 'import { render } from "solid-js/web"; render(app.Presence, main);'],
};
const README = readFileSync(path("../README.md"), "utf8");
const GUIDE = readFileSync(path("../../docs/webchat.md"), "utf8");

/** Returns the code blocks, each with the way to run it and the text above it. */
function snippets() {
  const pattern = /(?:<!-- run: (\w+) -->\n)?```(\w+)\n([\s\S]*?)```/g;
  const found = [...`${README}\n${GUIDE}`.matchAll(pattern)].map(([, how, language, code]) => ({ how, language, code }));
  const LANGUAGES = ["js", "ts", "tsx", "jsx", "html", "vue", "svelte"];
  const notRun = found.filter(({ how, language }) => !how && LANGUAGES.includes(language));
  assert.deepEqual(notRun, [], "every snippet of a language that can be run says how");
  return found.filter(({ how }) => how);
}

describe("README", () => {
  const ends = [];
  const own = { after: (end) => ends.unshift(end) };
  const pages = {};
  let gateway;
  let folder;
  let browser;
  let origin;
  before(async () => {
    gateway = await startGateway(own, { token: "your-token" });
    folder = mkdtempSync(join(tmpdir(), "openclaw-presence-readme-"));
    own.after(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(path(".."), join(folder, "node_modules/openclaw-presence"));
    symlinkSync(path("../../node_modules/ws"), join(folder, "node_modules/ws"));
    origin = await serve(own, pages);
    browser = await startBrowser(own);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  const here = (code) => code.replaceAll("ws://127.0.0.1:18789", gateway.url);

  /** Runs a script to its end, as a reader would; resolves with its output. */
  const runScript = async (name, code) => {
    const file = join(folder, name);
    writeFileSync(file, here(code));
    const env = { PATH: process.env.PATH, HOME: folder, XDG_STATE_HOME: join(folder, "state-home"), NO_COLOR: "1" };
    const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    let complaints = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (complaints += text));
    const [code_] = await once(child, "close");
    assert.equal(code_, 0, complaints);
    assert.equal(complaints, "");
    return printed;
  };

  /** Opens a page with the snippet in it. */
  const show = async (t, body) => {
    const imports = {
      "openclaw-presence": "/dist/index.js",
      "openclaw-presence/element": "/dist/entry/element.js",
      "openclaw-presence/shared": "/dist/shared.js",
    };
    pages["/snippet"] = {
      body: `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
             <script type="importmap">${JSON.stringify({ imports })}</script><main></main>${body}`,
    };
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await openPage(context, `${origin}/snippet`);
    t.after(() => assert.deepEqual(page.complaints, []));
    return page;
  };

  /** The output that the README promises, by a text in the snippet. */
  const PROMISES = [
    ["for await", /: |Active (Self|Launch|Connect)/],
    ["fileInstanceId", /^[0-9a-f-]{36} \{/],
    ["require(", /^connected with protocol 4/],
    ["findings().length", /^0 findings\n$/],
    ["findings()", /^studio Idle 2m ago\nOne id is written in more than one way\./],
    ["TestGateway", /^Active\nIdle\n$/],
    ["graceMs", /listening\n/],
    ["seconds of", /^Active\nIdle\ngone\n$/],
    ['token: "wrong"', /^AUTH_TOKEN_MISMATCH - Give the token[^\n]*\ngave up: AUTH_TOKEN_MISMATCH\n$/],
    ["openclaw-presence/slim", /^0\n$/],
  ];

  /** The file that snippets of several frameworks import. */
  let shared;
  let number = 0;
  for (const { how, code } of snippets()) {
    number += 1;
    const title = `${number} (${how}): ${code.trim().split("\n")[0]}`;
    const extension = { node: "mjs", commonjs: "cjs" }[how];
    if (extension) {
      const name = `snippet-${number}.${extension}`;
      test(title, async () => {
        const printed = await runScript(name, code);
        const promise = PROMISES.find(([word]) => code.includes(word));
        assert.ok(promise, "an expected output is defined");
        assert.match(printed, promise[1]);
      });
    } else if (how === "page") {
      test(title, async (t) => {
        const page = await show(t, here(code));
        const shown = code.includes("presence-roster") ? "presence-roster li" : "#who";
        await page.locator(shown).filter({ hasText: "Chrome" }).filter({ hasText: "Active" }).first().waitFor();
      });
    } else if (how === "shared") {
      shared = code;
    } else if (APPS[how]) {
      const [file, mount] = APPS[how];
      test(title, async (t) => {
        assert.ok(code.trim().split("\n").length <= 8, "the snippet has at most 8 lines");
        const app = mkdtempSync(join(folder, `${how}-`));
        writeFileSync(join(app, "presence.js"), here(shared));
        writeFileSync(join(app, file), here(code));
        const main = `import * as app from "./${file}"; const main = document.querySelector("main"); ${mount}`;
        const body = await bundle(main, app, { folders: [join(folder, "node_modules")] });
        pages["/snippet.js"] = { body, headers: { "content-type": "text/javascript" } };
        const page = await show(t, '<script type="module" src="/snippet.js"></script>');
        await page.locator("h2").filter({ hasText: /^[2-9] active$/ }).waitFor();
        if (how === "react") await page.locator("main li").filter({ hasText: "Chrome · Active" }).first().waitFor();
      });
    } else {
      throw new Error(`unknown way to run a snippet: ${how}`);
    }
  }
});

test("the README states the sizes of the build", async () => {
  const bundled = async (contents) => {
    const options = { bundle: true, minify: true, format: "esm", write: false, external: ["react"] };
    const { outputFiles } = await build({ stdin: { contents, resolveDir: path("..") }, ...options });
    return gzipSync(outputFiles[0].contents, { level: 9 }).length;
  };
  const actual = {
    "`core.wasm`": gzipSync(readFileSync(path("../dist/core.wasm")), { level: 9 }).length,
    "app bundle, increase with `openclaw-presence`": await bundled('export * from "./dist/index.js"'),
    "app bundle, increase with `/slim`, WASM not included": await bundled('export * from "./dist/slim.js"'),
  };
  const table = README.slice(README.indexOf("<!-- sizes -->"));
  for (const [what, bytes] of Object.entries(actual)) {
    const stated = Number(/\| ([\d,]+) \|/.exec(table.slice(table.indexOf(what)))?.[1].replaceAll(",", ""));
    console.log(`${what}: ${bytes} bytes gzipped (stated: ${stated})`);
    assert.ok(bytes <= stated && stated <= bytes * 1.1, `${what} is ${bytes} bytes; the README says ${stated}`);
  }
});
