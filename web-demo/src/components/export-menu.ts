import type { PresenceRow } from "openclaw-presence";

import { csv } from "../lib/csv.js";
import { h } from "../lib/dom.js";
import { isoMoment, pretty } from "../lib/format.js";
import { rowDevice, rowName } from "../state/row-words.js";
import { menu } from "./menu.js";

const COLUMNS: readonly (readonly [name: string, cell: (row: PresenceRow) => string | undefined])[] = [
  ["name", rowName],
  ["status", (row) => row.status],
  ["ip", (row) => row.ip],
  ["version", (row) => row.version],
  ["device", rowDevice],
  ["mode", (row) => row.mode],
  ["roles", (row) => row.roles.join(" ")],
  ["scopes", (row) => row.scopes.join(" ")],
  ["instanceId", (row) => row.instanceId],
  ["deviceId", (row) => row.deviceId],
  ["reason", (row) => row.reason],
  ["lastSeen", (row) => isoMoment(row.ts)],
];

/** Saves the rows that are shown as a file. */
export function exportMenu(rows: () => readonly PresenceRow[]): HTMLElement {
  const item = (label: string, type: string, ending: string, text: () => string) =>
    h("button", { type: "button", class: "button quiet", on: { click: () => save(`instances.${ending}`, type, text()) } }, label);
  return menu(
    "open",
    "Export",
    item("As CSV", "text/csv", "csv", () => table(rows())),
    item("As JSON", "application/json", "json", () => pretty(rows().map(({ entry }) => entry))),
  );
}

function table(rows: readonly PresenceRow[]): string {
  return csv([COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row) ?? ""))]);
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
