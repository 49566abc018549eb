import type { PresenceRow } from "./types.js";

/** How names of rows are made and compared. */
export interface RowNaming {
  /** Name of a row that states none. @default "unknown host" */
  readonly unknownHost?: string | undefined;
  /** Order of names; that of the platform's language by default. */
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
