// Appearance: every view in both colour schemes, on a phone and on a wide screen, is checked with axe and photographed.

import { after, test } from "node:test";

import { closeBrowser, picture, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { check } from "./lib/looks.mjs";
import { bringPeople, PEOPLE, sendAway } from "./lib/people.mjs";
import { file, TEXT } from "./lib/recording.mjs";
import { live, row, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";

after(closeBrowser);

const NOW = 1_800_000_000_000;
/** A list with a row of every status, and a row that left long ago. */
const EVERY_STATUS = [
  { host: "gateway", mode: "gateway", reason: "self", text: "Gateway: gateway", ts: NOW },
  {
    host: "a-studio", instanceId: "a", ip: "192.168.1.20", version: "2026.9.6", platform: "macos 26.1.0",
    deviceFamily: "Mac", mode: "ui", reason: "periodic", lastInputSeconds: 12, ts: NOW - 5_000,
  },
  {
    host: "b-tablet", instanceId: "b", ip: "192.168.1.71", version: "0.1.0", platform: "android 16",
    deviceFamily: "Android", mode: "webchat", reason: "disconnect", lastInputSeconds: 40, ts: NOW - 70_000,
  },
  {
    host: "c-loft", instanceId: "c", ip: "192.168.1.23", version: "2026.9.6", platform: "macos 15.7.0",
    deviceFamily: "Mac", mode: "remote", reason: "periodic", lastInputSeconds: 1_260, ts: NOW - 200_000,
  },
  {
    host: "d-attic-pi", instanceId: "d", ip: "192.168.1.44", version: "2026.9.6", platform: "linux 6.6.62",
    deviceFamily: "Linux", mode: "node", reason: "node-connected", ts: NOW - 400_000,
  },
  {
    host: "e-phone", instanceId: "e", ip: "192.168.1.61", version: "2026.9.1", platform: "ios 26.1.0",
    deviceFamily: "iPhone", mode: "ui", reason: "disconnect", ts: NOW - 500_000,
  },
];
for (const scheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    const size = { width, height: width === 360 ? 740 : 900, scheme, reducedMotion: "reduce" };
    const shot = async (page, name, options) => {
      await check(page, `${name}, ${scheme}, ${width} px`);
      await picture(page, `${name}-${scheme}-${width}`, { fullPage: true, ...options });
    };

    test(`with a gateway: ${scheme}, ${width} px`, async (t) => {
      const gateway = await startGateway(t);
      const visitor = await visit(t, { ...size, expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
      const page = await visitor.open(gateway.page);
      await page.getByText("that requires its token").waitFor();
      await shot(page, "connect");

      await page.goto(`${gateway.page}#token=wrong`);
      await page.locator('.view:visible .connection[data-phase="refused"]').waitFor();
      await shot(page, "refused");

      await page.goto(gateway.link);
      await live(page);
      await bringPeople(page, gateway);
      await rowsWhen(page, "all rows", (rows) => rows.length === PEOPLE + 2);
      await sendAway(page, gateway, "pocket");
      await rowsWhen(page, "a row that left", (rows) => rows.some(({ status }) => status === "Left"));
      await shot(page, "instances");

      await page.getByText("View", { exact: true }).click();
      await page.getByLabel("Group by host").check();
      await shot(page, "instances-view");
      await page.keyboard.press("Escape");
      await page.getByLabel("Search").fill("pi");
      await shot(page, "instances-filtered");
      await page.getByLabel("Search").fill("nobody");
      await page.getByText("The search and filters hide").waitFor();
      await shot(page, "instances-none");
      await page.getByRole("button", { name: "Clear search and filters" }).click();
      await page.getByText("View", { exact: true }).click();
      await page.getByLabel("Group by host").uncheck();
      await page.keyboard.press("Escape");

      await page.getByText("Connection health", { exact: true }).click();
      await page.locator(".health").getByText(/^[\d.]+ ms$/).waitFor();
      await shot(page, "health");
      await page.getByText("Connection health", { exact: true }).click();

      await row(page, "studio").getByRole("button", { name: "studio" }).click();
      await page.getByRole("dialog", { name: "Details of an instance" }).waitFor();
      await shot(page, "detail", { fullPage: false });
      await page.getByRole("button", { name: "Close details" }).click();

      await page.getByRole("link", { name: "This tab" }).click();
      await page.getByRole("heading", { name: "Make a duplicate" }).waitFor();
      await check(page, `this-tab, one row, ${scheme}, ${width} px`);
      await page.getByRole("button", { name: "Reconnect without a stable identity" }).click();
      await page.getByRole("heading", { name: "This tab is 2 rows now" }).waitFor();
      await shot(page, "this-tab");

      await page.getByRole("link", { name: "WebChat" }).click();
      await page.frameLocator("iframe").locator("#strip li").nth(3).waitFor();
      await shot(page, "webchat");

      const chat = await visitor.context.newPage();
      await page.evaluate(() => sessionStorage.getItem("openclaw-presence-demo:gateway")).then((target) =>
        chat.addInitScript((text) => sessionStorage.setItem("openclaw-presence-demo:gateway", text), target),
      );
      await chat.goto(`${gateway.page}webchat.html`);
      await chat.locator("#strip li").nth(3).waitFor();
      await chat.getByLabel("Message").fill("Is anybody here?");
      await chat.keyboard.press("Enter");
      await chat.getByRole("button", { name: "Who is here?" }).click();
      await shot(chat, "webchat-alone", { fullPage: false });
      await chat.close();

      await page.getByRole("link", { name: "Instances", exact: true }).click();
      await gateway.stop();
      await page.locator('.view:visible .connection[data-phase="waiting"]').waitFor();
      await shot(page, "offline");
    });

    test(`without a gateway: ${scheme}, ${width} px`, async (t) => {
      const host = await startStaticHost(t);
      const visitor = await visit(t, size);
      const page = await visitor.open(`${host}#/playground`);
      await rowsWhen(page, "the first scenario", (rows) => rows.length === 5);
      await shot(page, "playground");
      await page.getByRole("button", { name: "Stale row" }).click();
      await page.getByLabel("Time in the playground").fill("400");
      await rowsWhen(page, "a stale row", (rows) => rows.some(({ status }) => status === "Stale"));
      await shot(page, "playground-stale");
      await page.getByLabel("Open recording").setInputFiles(file("gateway.jsonl"));
      await page.locator(".recorded-facts").waitFor();
      await shot(page, "playground-recording");
      await page.getByLabel("Open recording").setInputFiles(file("cut.jsonl", TEXT.slice(0, TEXT.length / 2)));
      await page.getByText("it is cut off").waitFor();
      await shot(page, "playground-recording-cut");
      await page.getByLabel("Open recording").setInputFiles(file("list.json", "[]\n"));
      await page.getByText("list.json cannot be opened").waitFor();
      await shot(page, "playground-recording-wrong");
      await page.goto(`${host}#/paste`);
      await shot(page, "paste");
      await page.getByRole("button", { name: "Example: a row per connection" }).click();
      await page.getByText("3 instances, from 5 rows").waitFor();
      await shot(page, "paste-list");
      await page.getByLabel("A presence list").fill(JSON.stringify(EVERY_STATUS));
      await rowsWhen(page, "every status", (rows) =>
        rows.map(({ status }) => status).join() === "Active,Active,Left,Idle,Stale,Left");
      await page.getByText("6 instances; 2 left; no findings.").waitFor();
      await shot(page, "paste-statuses");
      await page.goto(`${host}#/this-tab`);
      await page.getByText("This tab is in no roster").waitFor();
      await shot(page, "this-tab-absent");
    });
  }
}
