// A headless Chromium for one test file.

import { chromium } from "playwright-core";

import { CHROMIUM_FLAGS, chromiumPath } from "../../../tests/e2e/lib/chromium.mjs";

/** Starts Chromium, which is closed when the test ends. */
export async function startBrowser(t, args = []) {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...CHROMIUM_FLAGS, ...args] });
  t.after(() => browser.close());
  return browser;
}

/** Opens a page that records errors and warnings in `page.complaints`. */
export async function openPage(context, url) {
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  await page.goto(url);
  return page;
}
