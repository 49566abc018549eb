// What the package holds beside its code.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { DIST, filesBelow, PACKAGE, ROOT, write } from "./project.mjs";

/** The vectors, for implementations in other languages, and the licences. */
export async function copyExtras() {
  const source = join(ROOT, "tests/vectors");
  const kept = new Set(filesBelow(source).filter((path) => /\.(json|md)$/.test(path)));
  for (const path of filesBelow(join(DIST, "vectors"))) if (!kept.has(path)) rmSync(join(DIST, "vectors", path));
  for (const path of kept) write(join(DIST, "vectors", path), compact(path, readFileSync(join(source, path), "utf8")));
  for (const name of ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]) {
    if (existsSync(join(ROOT, name))) write(join(PACKAGE, name), readFileSync(join(ROOT, name)));
  }
}

/** For programs: without the blanks that make a vector readable. */
function compact(path, text) {
  return path.endsWith(".json") ? `${JSON.stringify(JSON.parse(text))}\n` : text;
}
