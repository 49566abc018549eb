// Starts Chromium, and opens pages whose errors fail the test.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { CHROMIUM_FLAGS, chromiumPath } from "../../lib/chromium.mjs";
import { atEnd } from "./ends.mjs";
import { LIMIT_MS } from "./wait.mjs";

const SCREENSHOTS = fileURLToPath(new URL("../../../../target/screenshots", import.meta.url));
// A host name other than localhost: pages on it have no secure context.
const FLAGS = [...CHROMIUM_FLAGS, "--host-resolver-rules=MAP gateway.test 127.0.0.1"];

let shared;

/** Returns the one Chromium of this test file. */
async function browser() {
  shared ??= chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
  return shared;
}

/** Closes Chromium. */
export async function closeBrowser() {
  await (await shared)?.close();
  shared = undefined;
}

/**
 * Returns a visitor with its own storage, whose `open(url)` opens pages. The test fails if one of these pages has
 * written an error to the console, thrown, or requested another origin.
 *
 * @param expected patterns of console errors that the test causes on purpose
 */
export async function visit(t, { width = 1440, height = 900, scheme = "light", expected = [], origins = [], ...options } = {}) {
  const chromium = await browser();
  const context = await chromium.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(LIMIT_MS);
  const complaints = [];
  const asked = new Set();
  const complain = (text) => expected.some((pattern) => pattern.test(text)) || complaints.push(text);
  const own = new Set(origins);
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:") asked.add(origin);
  });
  context.on("page", (page) => {
    page.on("console", (message) => message.type() === "error" && complain(`${message.text()} (${message.location().url})`));
    page.on("pageerror", (error) => complain(String(error.stack ?? error)));
    page.on("websocket", (socket) => asked.add(new URL(socket.url()).origin.replace(/^ws/, "http")));
  });
  atEnd(t, async () => {
    await context.close();
    assert.deepEqual(complaints, [], "nothing was written to the console as an error");
    assert.deepEqual([...asked].filter((origin) => !own.has(origin)), [], "no other origin was asked");
  });
  return {
    context,
    async open(url) {
      own.add(new URL(url).origin);
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    /** Allows pages of this visitor to reach this origin too. */
    allow: (origin) => own.add(origin),
  };
}

/** Waits until the page has rendered all changes that are due. */
export function twoFrames(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Saves a screenshot for a visual check. */
export async function picture(page, name, options = {}) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // Scrolled, the sticky parts would appear in the middle of a full-page screenshot.
  if (options.fullPage) await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, animations: "disabled", ...options });
}
