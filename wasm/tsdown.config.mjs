// How the bundler makes dist/ from ts/: one file a source, so that apps' bundlers keep only what is used. No source maps: for
// both kinds of module they take 203 kB of the tarball, whose limit is 450 kB, and files that are not minified can be debugged
// without.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = import.meta.dirname;
const { version, sideEffects } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

/** Dependencies that become part of the package. */
export const BUNDLED = ["fflate", "lit", "lit-element", "lit-html", "@lit/reactive-element"];

/** Whether `sideEffects` in package.json lists the output of this source. */
function hasEffects(id) {
  return sideEffects.some((path) => id.includes(path.replace("./dist", "/ts").replace(/(js|\*)$/, "")));
}

export default {
  entry: ["ts/**/*.ts", "!ts/**/*.d.ts"],
  root: "ts",
  unbundle: true,
  format: ["esm", "cjs"],
  fixedExtension: false,
  target: "es2022",
  platform: "neutral",
  dts: true,
  deps: { neverBundle: [/^node:/, /wasm\/bytes\.js$/], onlyBundle: BUNDLED },
  alias: { "@lit-labs/ssr-dom-shim": join(PACKAGE, "ts/element/no-dom.ts") },
  define: { PACKAGE_VERSION: JSON.stringify(version) },
  treeshake: { moduleSideEffects: hasEffects },
  inputOptions: (options) => ({
    ...options,
    // Lit's builds for Node work in browsers too, and can be imported where there are no elements.
    resolve: { ...options.resolve, conditionNames: ["node"] },
    // An import of a module whose constants are inlined would stay, and bundlers would warn of it.
    optimization: { inlineConst: false },
  }),
  outputOptions: (options) => ({
    ...options,
    // Editors show the comments of the types.
    comments: { legal: true, annotation: true, jsdoc: false },
    // npm publishes no folder of that name.
    entryFileNames: ({ name }) => options.entryFileNames.replace("[name]", name.replace("node_modules", "vendor")),
  }),
  failOnWarn: true,
  suppressWarnings: /TypeScript 7.0 is deprecated/,
  checks: { bundlerTimings: false, moduleLevelDirective: false },
};
