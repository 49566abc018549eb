// A headless Chromium for one test file.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's binary: `PRESENCE_CHROMIUM`, else the first of its usual names on the PATH. */
function chromiumPath() {
  const { PRESENCE_CHROMIUM, PATH = "" } = process.env;
  if (PRESENCE_CHROMIUM) return PRESENCE_CHROMIUM;
  const candidates = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = candidates.find(isExecutable);
  if (!found) throw new Error("no Chromium on the PATH: install one, or name it in PRESENCE_CHROMIUM");
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
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
