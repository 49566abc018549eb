// Bundles apps of all frameworks; files that esbuild cannot compile go through the framework's compiler.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { transformAsync } from "@babel/core";
import solid from "babel-preset-solid";
import { build } from "esbuild";
import { compile as compileSvelte } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Compilers by file extension. */
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

/** Bundles the module `contents`, which may import from `resolveDir` and `folders`; resolves with an ES module. */
export async function bundle(contents, resolveDir, { folders = [], ...options } = {}) {
  const { outputFiles } = await build({
    stdin: { contents, loader: "jsx", resolveDir },
    bundle: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    nodePaths: [path("../../../node_modules"), ...folders],
    plugins: [compilers],
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
