// The colours of the custom element, computed by Chromium from its own style.

import { after, before, describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { serve } from "./lib/server.mjs";

/** Background and text of light and dark pages: the extremes, and pages with lower contrast. */
const PAGES = { white: ["#fff", "#000"], light: ["#f3f4f6", "#404040"], dark: ["#1f2228", "#d4d4d8"], black: ["#000", "#fff"] };
/** Minimum contrast by WCAG 2.2: 1.4.3 for text, 1.4.11 for graphics. */
const LEAST = { text: 4.5, mark: 3 };

describe("colours of <presence-roster>", () => {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  let page;
  before(async () => {
    const body = `<!doctype html><html lang="en"><title>Colours</title><link rel="icon" href="data:,">
      <script type="module" src="/dist/entry/element.js"></script><presence-roster></presence-roster><presence-roster></presence-roster></html>`;
    const origin = await serve(t, { "/": { body } });
    const browser = await startBrowser(t);
    page = await openPage(await browser.newContext({ colorScheme: "dark" }), origin);
    await page.evaluate(show);
  });
  after(async () => {
    for (const end of ends) await end();
    assert.deepEqual(page.complaints, []);
  });

  for (const scheme of ["light", "dark", "normal"]) {
    test(`text and marks have enough contrast on all pages with color-scheme: ${scheme}`, async () => {
      for (const [name, [background, text]] of Object.entries(PAGES)) {
        const found = await page.evaluate(contrasts, { scheme, background, text });
        const parts = [...new Set(found.map(({ part }) => part))].sort();
        assert.deepEqual(parts, ["connection", "details", "dot", "empty", "heading", "host", "seen", "status"]);
        const bad = found.filter(({ kind, contrast }) => !(contrast >= LEAST[kind]));
        assert.deepEqual(bad, [], name);
      }
    });
  }

  test("colours follow the page's scheme, not the system's, and custom properties win", async () => {
    const active = () => page.evaluate(() => {
      const dot = document.querySelector("presence-roster").shadowRoot.querySelector("li [part=dot]");
      return getComputedStyle(dot).backgroundColor;
    });
    const set = (name, value) =>
      page.evaluate(([name, value]) => document.documentElement.style.setProperty(name, value), [name, value]);
    await set("color-scheme", "normal");
    const light = await active();
    await set("color-scheme", "light dark");
    assert.notEqual(await active(), light);
    await set("--presence-color-active", "rgb(1, 2, 3)");
    assert.equal(await active(), "rgb(1, 2, 3)");
  });
});

/** Shows one element with a row of each status, and one with an empty list of a refused client. */
async function show() {
  const { row, StubClient } = await import("/tests/browser/stub-client.js");
  const rows = ["Active", "Idle", "Stale", "Left"].map((status) => row(status, { status }));
  const [full, empty] = document.querySelectorAll("presence-roster");
  // Without transitions, colours have their final value immediately.
  for (const { shadowRoot } of [full, empty]) {
    const style = Object.assign(document.createElement("style"), { textContent: "* { transition: none !important }" });
    shadowRoot.append(style);
  }
  full.client = new StubClient(rows);
  empty.client = new StubClient([], { hasList: false, connection: { phase: "refused", error: { message: "unauthorized" } } });
  await new Promise(requestAnimationFrame);
}

/** Returns the contrast of each part with the page's background. */
function contrasts({ scheme, background, text }) {
  Object.assign(document.documentElement.style, { colorScheme: scheme, background, color: text });
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (...colours) => {
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    const linear = (value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = Array.from(context.getImageData(0, 0, 1, 1).data, linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (colour) => {
    const [dark, light] = [luminance(background), luminance(background, colour)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const roots = [...document.querySelectorAll("presence-roster")].map(({ shadowRoot }) => shadowRoot);
  const parts = roots.flatMap((root) => [...root.querySelectorAll("[part]")]);
  const hasText = (element) => element.textContent.trim() !== "" && !element.matches("ul, li, .news");
  return parts
    .filter((element) => element.checkVisibility() && (element.part.contains("dot") || hasText(element)))
    .map((element) => {
      const part = element.getAttribute("part");
      const { color, backgroundColor, borderTopColor, borderTopStyle } = getComputedStyle(element);
      if (part !== "dot") return { part, kind: "text", colour: color, contrast: contrast(color) };
      const colour = borderTopStyle === "none" ? backgroundColor : borderTopColor;
      return { part, kind: "mark", colour, contrast: contrast(colour) };
    });
}
