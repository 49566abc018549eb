// Reads the table of instances.

import { within } from "./wait.mjs";

/** Finds the row of an instance by the start of its name. */
export function row(page, name) {
  return page.locator("tr.row:visible", { has: page.locator(`.row-open:text-is("${name}")`) });
}

/** Returns all visible rows: `{name, status, badges, seen}`. */
export function rows(page) {
  return page.locator("tr.row:visible").evaluateAll((all) =>
    all.map((element) => ({
      key: element.dataset.key,
      name: element.querySelector(".row-open").textContent,
      where: element.querySelector(".who .sub").textContent,
      status: element.querySelector(".status").textContent,
      isConnected: element.dataset.status !== "Left",
      badges: [...element.querySelectorAll(".badge:not([hidden])")].map((badge) => badge.textContent),
      seen: element.querySelector(".seen").innerText.replace(/\s+/g, " ").trim(),
    })),
  );
}

/** Waits until `isWanted` accepts the rows, and returns them. */
export async function rowsWhen(page, what, isWanted) {
  return within(what, async () => {
    const found = await rows(page);
    return isWanted(found) ? found : undefined;
  });
}

/** Waits until the page is connected. */
export async function live(page) {
  await page.locator('.pill[data-phase="live"]').waitFor();
  await page.locator("tr.row:visible").first().waitFor();
}
