// The properties, slots, events and announcements of the custom element, with clients whose roster the test sets.

import { after, before, beforeEach, describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { serve } from "./lib/server.mjs";

const BODY = `<!doctype html><html lang="en"><title>Roster</title><link rel="icon" href="data:,">
  <script type="module">
    import * as stub from "/tests/browser/stub-client.js";
    import "/dist/entry/element.js";
    Object.assign(globalThis, stub, { element: document.querySelector("presence-roster") });
  </script><h1>Chat</h1><presence-roster></presence-roster></html>`;

describe("<presence-roster> properties, slots and events", () => {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  let page;
  let origin;
  let context;
  before(async () => {
    origin = await serve(t, { "/": { body: BODY } });
    context = await (await startBrowser(t)).newContext();
  });
  beforeEach(async () => {
    assert.deepEqual(page?.complaints ?? [], []);
    await page?.close();
    page = await openPage(context, origin);
    await page.clock.install();
  });
  after(async () => {
    for (const end of ends) await end();
    assert.deepEqual(page.complaints, []);
  });

  const part = (name) => page.locator(`presence-roster [part=${name}]`);
  const news = () => part("news").innerText();

  test("the heading has the level that is set", async () => {
    const tag = (level) =>
      page.evaluate(async (level) => {
        element.headingLevel = level;
        await element.updateComplete;
        return element.shadowRoot.querySelector("[part=heading]").localName;
      }, level);
    assert.deepEqual([await tag(undefined), await tag(4), await tag(7), await tag("x")], ["h2", "h4", "h2", "h2"]);
    await page.evaluate(() => element.setAttribute("heading-level", "3"));
    await page.getByRole("heading", { level: 3, name: "Instances" }).waitFor();
  });

  test("a slot replaces the contents of one row, also of a row that is added later", async () => {
    await page.evaluate(() => {
      element.innerHTML = `<a href="#" slot="row-ana">Ana's page</a>`;
      element.client = new StubClient([row("ben")]);
    });
    await part("row").filter({ hasText: "ben" }).waitFor();
    assert.equal(await page.getByText("Ana's page").isVisible(), false);
    await page.evaluate(() => element.client.show([row("ana"), row("ben")]));
    await page.getByText("Ana's page").waitFor();
    assert.equal(await part("host").filter({ hasText: "ana" }).isVisible(), false);
    assert.equal(await part("host").filter({ hasText: "ben" }).isVisible(), true);
  });

  test("the element has a width where its container fits the content", async () => {
    const widths = await page.evaluate(async () => {
      element.client = new StubClient([row("ana")]);
      const box = document.createElement("div");
      document.body.append(box);
      box.append(element);
      const widths = [];
      for (const style of ["display: flex", "display: inline-block", "position: absolute", "float: left", "inline-size: 100px"]) {
        box.style = style;
        await element.updateComplete;
        widths.push(element.offsetWidth);
      }
      return widths;
    });
    assert.deepEqual(widths, [256, 256, 256, 256, 100]);
  });

  test("errors of the current client are events; errors of an earlier client are not", async () => {
    const codes = await page.evaluate(async () => {
      const codes = [];
      element.addEventListener("error", ({ error, message }) => codes.push(`${error.code} ${message}`));
      const [first, second] = [new StubClient([]), new StubClient([])];
      for (const client of [first, second]) {
        element.client = client;
        await element.updateComplete;
        first.fail({ code: "FIRST", message: "one" });
        second.fail({ code: "SECOND", message: "two" });
      }
      return codes;
    });
    assert.deepEqual(codes, ["FIRST one", "SECOND two"]);
  });

  test("the element shows an error for an invalid property until the property is corrected", async () => {
    const reported = await page.evaluate(async () => {
      const reported = [];
      element.addEventListener("error", ({ error }) => reported.push(error.code));
      const connection = () => element.shadowRoot.querySelector("[part=connection]").innerText;
      const invalid = [
        { url: "ws://127.0.0.1:9", locale: "no_tag" },
        { locale: "de", labels: { nonsense: "x" } },
        { url: "http//:", labels: null },
      ];
      for (const members of invalid) {
        Object.assign(element, members);
        await element.updateComplete;
        element.requestUpdate();
        await element.updateComplete;
        reported.push(connection(), element.client === undefined);
      }
      Object.assign(element, { url: null });
      await element.updateComplete;
      return [...reported, connection()];
    });
    assert.equal(reported.filter((code) => code === "INVALID_ARGUMENT").length, 3, reported.join(" | "));
    assert.match(reported.join(" | "), /no_tag.*true.*labels.nonsense.*true.*url.*true.*Not connected/);
  });

  test("without a url too, the error of an invalid locale stays until the locale is corrected", async () => {
    const shown = await page.evaluate(async () => {
      const shown = [];
      element.addEventListener("error", ({ error }) => shown.push(error.code));
      const steps = [{ locale: "no_tag" }, { heading: "X" }, { client: new StubClient([]) }, { client: null }, { locale: "de" }];
      for (const members of steps) {
        Object.assign(element, members);
        await element.updateComplete;
        shown.push(element.shadowRoot.querySelector("[part=connection]").innerText);
      }
      return shown;
    });
    const [code, ...texts] = shown;
    assert.equal(code, "INVALID_ARGUMENT");
    assert.match(texts.join(" | "), /^[^|]*no_tag[^|]*\| [^|]*no_tag[^|]*\| Live \| [^|]*no_tag[^|]*\| Not connected$/);
  });

  test("all words can be translated", async () => {
    await page.evaluate(async () => {
      element.locale = "sv";
      element.labels = {
        title: "Instanzen",
        heading: (title, others, left) => `${title}: ${others}, ${left} weg`,
        connection: ({ phase }) => ({ live: "Verbunden" })[phase],
        empty: () => "Niemand",
        status: (status) => ({ Active: "Aktiv" })[status],
        left: (age) => `Weg (${age})`,
        input: (age) => `Eingabe ${age}`,
        thisClient: "dieser",
        via: (gateway) => `über ${gateway}`,
        unknownHost: "unbekannt",
        count: (others) => `${others} da`,
        joined: (names) => `${names} kam`,
      };
      const left = { status: "Left", isConnected: false, lastInputText: "" };
      const rows = [
        row("ö", { host: undefined, isOwn: true }),
        row("Åke", { ...left, ageText: "1 Min." }),
        row("Zoe", { entry: { gateway: "home" } }),
      ];
      element.client = new StubClient(rows.map((row) => ({ ...row, reasonLabel: "", ageText: "1 Min." })));
      await element.updateComplete;
    });
    const lines = await page.locator("presence-roster :is(h2, header span, li span)").allInnerTexts();
    assert.deepEqual(lines.filter(Boolean), [
      "Instanzen: 2, 1 weg", "Verbunden",
      "unbekannt", "Aktiv", "dieser · macOS 26.1", "Eingabe 1m ago · 1 Min.",
      "Zoe", "Aktiv", "macOS 26.1 · über home", "Eingabe 1m ago · 1 Min.",
      "Åke", "Weg (1 Min.)", "macOS 26.1",
    ]);
    await page.clock.runFor(3_000);
    assert.equal(await news(), "2 da");
    await page.evaluate(() => element.client.report("join", row("kim", { host: undefined })));
    await page.clock.runFor(3_000);
    assert.equal(await news(), "unbekannt kam");
  });

  test("words without a text are English", async () => {
    const lines = await page.evaluate(async () => {
      const broken = () => {
        throw new Error("no text");
      };
      element.labels = { heading: broken, connection: ({ phase }) => ({})[phase], empty: broken, status: () => undefined, left: broken,
        input: () => 7, via: broken, count: broken, joined: broken, gone: () => null };
      const left = row("ben", { status: "Left", isConnected: false, lastInputText: "" });
      element.client = new StubClient([row("ana", { entry: { gateway: "home" } }), left]);
      await element.updateComplete;
      return [...element.shadowRoot.querySelectorAll(":is(h2, header span, li span)")].map(({ innerText }) => innerText);
    });
    assert.deepEqual(lines.filter(Boolean), [
      "Instances (1, 1 left)", "Live",
      "ana", "Active", "macOS 26.1 · via home", "input 1m ago · 5m ago · Heartbeat",
      "ben", "Left 5m ago", "macOS 26.1",
    ]);
    await page.clock.runFor(3_000);
    assert.equal(await news(), "1 instance, 1 left");
    await page.evaluate(() => element.client.report("join", row("kim")));
    await page.evaluate(() => element.client.report("leave", row("lou")));
    await page.clock.runFor(3_000);
    assert.equal(await news(), "kim joined. lou left");
    assert.ok(page.complaints.length > 0 && page.complaints.every((text) => text.includes("no text")), page.complaints.join());
    page.complaints = [];
  });

  test("labels and a locale that are set outside the document apply once the element returns", async () => {
    const headings = await page.evaluate(async () => {
      const headings = [];
      const set = async (members) => {
        element.remove();
        await element.updateComplete;
        Object.assign(element, members);
        // Lit's update, which the element ignores.
        await element.updateComplete;
        document.body.append(element);
        await element.updateComplete;
        headings.push(element.shadowRoot.querySelector("[part=heading]").innerText);
        headings.push(element.shadowRoot.querySelector("[part=connection]").innerText);
      };
      element.client = new StubClient([row("ana")]);
      await set({ labels: { title: "Instanzen" } });
      await set({ client: null, url: "ws://127.0.0.1:9", locale: "no_tag" });
      await set({});
      await set({ client: new StubClient([]), url: null, locale: "de", labels: null });
      return headings;
    });
    assert.match(headings.join(" | "), /^Instanzen \(1\) \| Live \| Instanzen \| .*no_tag.* \| Instanzen \| .*no_tag.* \| Instances \| Live$/);
  });

  test("two announcements with the same text are both announced", async () => {
    await page.evaluate(() => {
      element.client = new StubClient([]);
      globalThis.announced = [];
      const region = element.shadowRoot.querySelector("[part=news]");
      new MutationObserver(() => announced.push(region.innerText)).observe(region, { childList: true, characterData: true, subtree: true });
    });
    await page.clock.runFor(3_000);
    for (let n = 0; n < 3; n += 1) {
      await page.evaluate(() => element.client.report("join", row("Chrome")));
      await page.clock.runFor(3_000);
    }
    const announced = await page.evaluate(() => globalThis.announced.map((text) => text.trim()));
    assert.deepEqual(announced, ["0 instances", ...Array(3).fill("Chrome joined")]);
  });

  test("pending announcements are dropped when the client is replaced", async () => {
    await page.evaluate(() => {
      globalThis.first = new StubClient([row("ana"), row("ben")]);
      element.client = first;
    });
    await page.clock.runFor(3_000);
    assert.equal(await news(), "2 instances");
    await page.evaluate(async () => {
      first.report("join", row("kim"));
      first.report("leave", row("ben"));
      first.show([row("ana")], { connection: { phase: "waiting" } });
      element.client = new StubClient([row("cleo")]);
      await element.updateComplete;
      first.report("join", row("lou"));
    });
    assert.equal(await news(), "", "the last announcement was about another list");
    await page.clock.runFor(3_000);
    assert.equal(await news(), "1 instance");
    await page.evaluate(async () => {
      element.client.report("join", row("dan"));
      element.client = null;
      await element.updateComplete;
    });
    await page.clock.runFor(9_000);
    assert.equal(await news(), "");
  });
});
