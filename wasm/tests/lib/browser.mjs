// A headless Chromium for one test file.

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's binary: the one named by `CHROMIUM`, else the first that is there. */
function chromiumPath() {
  const found = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium found: install it, or set CHROMIUM to its path");
  return found;
}

/** Starts it; it ends with the test. */
export async function startBrowser(t, args = []) {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...ARGS, ...args] });
  t.after(() => browser.close());
  return browser;
}

/** A page that fails the test by what it complains of: `page.complaints`. */
export async function openPage(context, url) {
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  await page.goto(url);
  return page;
}
