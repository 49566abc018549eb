import type { PresenceRow } from "./types.js";

/** How row names are built and compared. */
export interface RowNaming {
  /** Name of a row without a host, an instance id and a text. @default "unknown host" */
  readonly unknownHost?: string | undefined;
  /** Compares names; by default in the order of the platform's language. */
  readonly compare?: ((a: string, b: string) => number) | undefined;
}

const { compare: compareTexts } = new Intl.Collator();

/** Returns the name of a row: its host, else its instance id, else its text. */
export function rowName({ host, instanceId, text }: PresenceRow, { unknownHost = "unknown host" }: RowNaming = {}): string {
  return host ?? instanceId ?? text ?? unknownHost;
}

/** Compares rows for `Array.prototype.sort`: the gateway's own first, then by name, rows of one name by key. */
export function compareRows(a: PresenceRow, b: PresenceRow, naming: RowNaming = {}): number {
  const { compare = compareTexts } = naming;
  return Number(b.isSelf) - Number(a.isSelf) || compare(rowName(a, naming), rowName(b, naming)) || (a.key < b.key ? -1 : 1);
}

/** Returns the model or family of a row's device, such as `Mac16,6`; empty if the platform states it already. */
export function rowModel({ modelIdentifier, deviceFamily, platformLabel }: PresenceRow): string {
  const model = modelIdentifier ?? deviceFamily ?? "";
  return platformLabel.toLowerCase().startsWith(model.toLowerCase()) ? "" : model;
}

/** Returns the device and platform of a row, such as `Mac16,6 · macOS 26.1`; empty if neither is known. */
export function rowDevice(row: PresenceRow): string {
  return [rowModel(row), row.platformLabel].filter(Boolean).join(" · ");
}

/** Returns the name of the observed gateway that a row comes from; `undefined` for rows of the gateway itself. */
export function rowGateway({ entry }: PresenceRow): string | undefined {
  const { gateway } = entry;
  // The core does not check members that it does not use.
  return typeof gateway === "string" && gateway !== "" ? gateway : undefined;
}

/** Whether a row is an observed gateway itself, in contrast to its clients. */
export function isObservedGateway(row: PresenceRow): boolean {
  return row.mode === "gateway" && rowGateway(row) !== undefined;
}
