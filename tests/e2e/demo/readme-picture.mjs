// Makes web-demo/instances.png, the picture in the README: `node readme-picture.mjs`. It takes six minutes, because
// everything on it is real, including the ages. Afterwards, reduce it to a palette of 256 colours, with pngquant for example.

import { fileURLToPath } from "node:url";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { bringPeople, PEOPLE, sendAway } from "./lib/people.mjs";
import { live, row, rowsWhen } from "./lib/roster.mjs";

const PICTURE = fileURLToPath(new URL("../../../web-demo/instances.png", import.meta.url));
const minutes = (number) => new Promise((resolve) => setTimeout(resolve, number * 60_000));

const ends = [];
const t = { after: (end) => ends.push(end) };
try {
  const gateway = await startGateway(t, ["--ttl", "1h"]);
  const visitor = await visit(t, { width: 1360, height: 930, deviceScaleFactor: Number(process.env.SCALE ?? 1.5) });
  const page = await visitor.open(gateway.link);
  await live(page);
  await bringPeople(page, gateway);
  await rowsWhen(page, "all rows", (rows) => rows.length === PEOPLE + 2);
  await minutes(2.2);
  await bringPeople(page, gateway, ["attic-pi", "pocket", "kitchen", "studio"]);
  await sendAway(page, gateway, "porch-pi");
  await minutes(2.9);
  await bringPeople(page, gateway, ["studio", "attic-pi", "kitchen"]);
  await page.mouse.move(700, 300);
  await page.getByRole("button", { name: "Close the tour" }).click();
  await row(page, "kitchen").first().click();
  await page.getByRole("dialog", { name: "Details of an instance" }).waitFor();
  await page.mouse.move(5, 760);
  await page.screenshot({ path: PICTURE, animations: "disabled" });
} finally {
  for (const end of ends) await end();
  await closeBrowser();
}
