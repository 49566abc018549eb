// Finds the browser for all browser tests, and sets its flags.

import { existsSync } from "node:fs";

/** Usual install paths; `xtask/src/tools/browser.rs` has the same. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Turns off all network access that a test does not cause. */
export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Returns the path of the browser: `CHROMIUM` if it is set, else the first of `PLACES` that exists. */
export function chromiumPath() {
  const found = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium found: install it, or set CHROMIUM to its path");
  return found;
}
