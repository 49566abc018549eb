// Opens pages in headless Chromium and returns their results.
import { chromium } from "playwright-core";

import { CHROMIUM_FLAGS, chromiumPath } from "../../lib/chromium.mjs";
import { answer, isGateway } from "./gateway.mjs";

let browser;

async function started() {
  browser ??= await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
}

/** Opens `url`. Returns the page's `globalThis.outcome` and `live`, and the problems: errors, warnings, other origins. */
export async function outcomeOf(url) {
  const context = await (await started()).newContext();
  try {
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.stack ?? error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("request", (request) => {
      if (new URL(request.url()).host !== new URL(url).host) problems.push(`asks ${request.url()}`);
    });
    // Sockets open; those to a gateway are answered.
    await page.routeWebSocket(/./, (socket) => (isGateway(socket.url()) ? answer(socket) : undefined));
    await page.goto(url);
    const done = page.waitForFunction(() => globalThis.outcome, undefined, { timeout: 60_000 });
    const outcome = await done.then((handle) => handle.jsonValue()).catch((error) => {
      throw new Error(`the page came to nothing: ${error.message}\n${problems.join("\n")}`);
    });
    return { outcome, live: await page.evaluate(() => globalThis.live), problems };
  } finally {
    await context.close();
  }
}
