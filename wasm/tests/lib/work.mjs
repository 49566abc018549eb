// The folder in which the package's build keeps modules for the tests.

import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A folder for each WASM module. */
export const WORK = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "wasm-package");
