import { rowDevice, rowGateway, rowName, type PresenceEntry, type PresenceRow } from "openclaw-presence";
import { html } from "lit";

import { csv } from "../lib/csv.js";
import { isoMoment, pretty } from "../lib/format.js";
import type { CopyButton } from "./copy-button.js";
import { menu } from "./menu.js";

/** A row to export, and the name of the gateway that lists it; absent if all rows are of one gateway. */
export interface ExportRow {
  readonly row: PresenceRow;
  readonly listedBy: string | undefined;
}

/** Returns the entry of a row, with the gateway that lists it if there are several. */
export function exportEntry({ row, listedBy }: ExportRow): PresenceEntry {
  return listedBy === undefined ? row.entry : { ...row.entry, gateway: rowGateway(row) ?? listedBy };
}

const COLUMNS: Readonly<Record<string, (row: PresenceRow) => string | undefined>> = {
  name: rowName,
  status: (row) => row.status,
  ip: (row) => row.ip,
  version: (row) => row.version,
  device: rowDevice,
  mode: (row) => row.mode,
  roles: (row) => row.roles.join(" "),
  scopes: (row) => row.scopes.join(" "),
  instanceId: (row) => row.instanceId,
  deviceId: (row) => row.deviceId,
  reason: (row) => row.reason,
  lastSeen: (row) => isoMoment(row.ts),
};

/** Saves the displayed rows as a file, or copies them. */
export function exportMenu(rows: () => readonly ExportRow[], copy: CopyButton) {
  const item = (label: string, type: string, ending: string, text: () => string) =>
    html`<button type="button" class="button quiet" @click=${() => save(`instances.${ending}`, type, text())}>${label}</button>`;
  return menu("open", "Export", [
    item("As CSV", "text/csv", "csv", () => table(rows())),
    item("As JSON", "application/json", "json", () => pretty(rows().map(exportEntry))),
    copy,
  ]);
}

function table(rows: readonly ExportRow[]): string {
  const cells = rows.map(({ row, listedBy }) => [...Object.values(COLUMNS).map((cell) => cell(row) ?? ""), rowGateway(row) ?? listedBy ?? ""]);
  return csv([[...Object.keys(COLUMNS), "gateway"], ...cells]);
}

function save(name: string, type: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  // Safari starts the download later.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
