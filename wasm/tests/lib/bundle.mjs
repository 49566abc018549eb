// Bundles apps of all frameworks; what esbuild cannot compile, the framework's own compiler does.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { transformAsync } from "@babel/core";
import solid from "babel-preset-solid";
import { build } from "esbuild";
import { compile as compileSvelte } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** By the end of a file's name. */
const COMPILERS = {
  ".svelte": (code, filename) => compileSvelte(code, { filename, generate: "client" }).js.code,
  ".vue": (code, filename) => compileScript(parse(code, { filename }).descriptor, { id: filename, inlineTemplate: true }).content,
  ".solid.jsx": async (code, filename) =>
    (await transformAsync(code, { filename, presets: [solid], babelrc: false, configFile: false })).code,
};

const compilers = {
  name: "compilers",
  setup({ onLoad }) {
    for (const [end, compile] of Object.entries(COMPILERS)) {
      onLoad({ filter: new RegExp(`${end.replaceAll(".", "\\.")}$`) }, async ({ path }) => ({
        contents: await compile(await readFile(path, "utf8"), path),
        loader: "js",
      }));
    }
  },
};

/** The package's folder has copies of its own, for their types; an app has one. */
const oneCopy = {
  name: "one copy",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^(vue|solid-js)(\/|$)/ }, ({ path: name, kind, pluginData }) =>
      pluginData === "resolved" ? undefined : resolve(name, { kind, resolveDir: path(".."), pluginData: "resolved" }),
    );
  },
};

/** Bundles `contents`, a module that may import from `resolveDir` and `folders`; resolves with an ES module. */
export async function bundle(contents, resolveDir, { folders = [], ...options } = {}) {
  const { outputFiles } = await build({
    stdin: { contents, loader: "jsx", resolveDir },
    bundle: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    nodePaths: [path("../node_modules"), ...folders],
    plugins: [compilers, oneCopy],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true",
    },
    ...options,
  });
  return outputFiles[0].text;
}
