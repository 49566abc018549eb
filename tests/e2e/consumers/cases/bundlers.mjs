// Bundlers, without any configuration for the package.
import { join } from "node:path";

import { outcomeOf } from "../lib/browser.mjs";
import { assertLivePage } from "../lib/expected.mjs";
import { app, APPS } from "../lib/install.mjs";
import { freePort, serve } from "../lib/serve.mjs";

/** Bundles `main.js` into `out/`, then visits the page that loads it. */
function bundler(name, bundle) {
  return {
    name,
    async run() {
      const folder = app("bundled");
      await bundle(folder);
      const server = await serve(join(folder, "out"));
      try {
        assertLivePage(await outcomeOf(`${server.url}/index.html`));
      } finally {
        await server.close();
      }
    },
  };
}

export const bundlers = [
  bundler("esbuild", async (folder) => {
    const { build } = await import("esbuild");
    const entryPoints = [join(folder, "main.js")];
    await build({ entryPoints, bundle: true, minify: true, format: "esm", outfile: join(folder, "out/main.js"), logLevel: "error" });
  }),
  bundler("esbuild, from CommonJS", async (folder) => {
    const { build } = await import("esbuild");
    const entryPoints = [join(folder, "main.cjs")];
    await build({ entryPoints, bundle: true, minify: true, outfile: join(folder, "out/main.js"), logLevel: "error" });
  }),
  bundler("rollup", async (folder) => {
    const { rollup } = await import("rollup");
    const { default: resolve } = await import("@rollup/plugin-node-resolve");
    const { default: commonjs } = await import("@rollup/plugin-commonjs");
    // React asks for it, not the package.
    const production = { name: "production", transform: (code) => code.replaceAll("process.env.NODE_ENV", '"production"') };
    const plugins = [production, resolve({ browser: true }), commonjs()];
    const onwarn = (warning) => {
      // Rollup has no server components: it warns that it ignores the directive "use client".
      if (warning.code === "MODULE_LEVEL_DIRECTIVE") return;
      throw new Error(warning.message);
    };
    const bundle = await rollup({ input: join(folder, "main.js"), plugins, onwarn });
    await bundle.write({ file: join(folder, "out/main.js"), format: "es" });
    await bundle.close();
  }),
  bundler("webpack", async (folder) => {
    const { default: webpack } = await import("webpack");
    const output = { path: join(folder, "out"), filename: "main.js" };
    const config = { mode: "production", context: folder, entry: "./main.js", output, performance: { hints: false } };
    await new Promise((resolve, reject) => {
      webpack(config, (error, stats) => {
        if (error) reject(error);
        else if (stats.hasErrors() || stats.hasWarnings()) reject(new Error(stats.toString("errors-warnings")));
        else resolve();
      });
    });
  }),
  bundler("vite build", async (folder) => {
    const { build } = await import("vite");
    await build({ root: join(folder, "vite"), logLevel: "error", configFile: false, build: { outDir: "../out", emptyOutDir: false } });
  }),
  {
    name: "vite dev",
    async run() {
      const folder = app("bundled");
      const { createServer } = await import("vite");
      const options = { host: "127.0.0.1", port: await freePort(), strictPort: true, fs: { allow: [APPS] } };
      const server = await createServer({
        root: join(folder, "vite"), cacheDir: join(folder, "cache"), logLevel: "error", configFile: false, server: options,
      });
      try {
        await server.listen();
        assertLivePage(await outcomeOf(`http://127.0.0.1:${options.port}/`));
      } finally {
        await server.close();
      }
    },
  },
];
