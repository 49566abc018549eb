// The browser of every browser test: which one, and how it is started.

import { existsSync } from "node:fs";

/** Where systems keep it; `xtask/src/tools/chromium.rs` looks in the same places. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Nothing but what a test asks for. */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's binary: the one named by `CHROMIUM`, else the first that is there. */
export function chromiumPath() {
  const found = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium found: install it, or set CHROMIUM to its path");
  return found;
}
