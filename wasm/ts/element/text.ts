import { isObservedGateway, rowDevice, rowGateway } from "../row-names.js";
import type { PresenceRow, RosterSnapshot } from "../types.js";
import { ENGLISH, type ElementWords } from "./words.js";

/** Returns the details of a row in one line: address, version, device, mode, and the observed gateway it comes from. */
export function rowDetails(row: PresenceRow, words: ElementWords = ENGLISH): string {
  return [row.isOwn ? words.thisClient : "", row.ip, row.version, rowDevice(row), row.mode, gatewayText(row, words)].filter(Boolean).join(" · ");
}

/** Returns the origin of a row: the name of its observed gateway. */
function gatewayText(row: PresenceRow, words: ElementWords): string {
  const gateway = rowGateway(row);
  if (gateway === undefined) return "";
  return isObservedGateway(row) ? gateway : words.via(gateway);
}

/** Returns the status of a row; for a row that left with its age: `Left 2m ago`. */
export function rowStatus({ status, ageText }: PresenceRow, words: ElementWords = ENGLISH): string {
  return status === "Left" ? words.left(ageText) : words.status(status);
}

/**
 * Returns the age and reason of a row; for one that left only its last input. Empty for the gateway's own row, which
 * is always fresh.
 */
export function rowSeen(row: PresenceRow, words: ElementWords = ENGLISH): string {
  if (row.isSelf) return "";
  const input = row.lastInputText === "" ? "" : words.input(row.lastInputText);
  if (row.status === "Left") return input;
  return [input, row.ageText, row.reasonLabel].filter(Boolean).join(" · ");
}

/**
 * Returns the heading of a list with the number of its rows; rows that left are counted separately: `Instances (3, 1
 * left)`.
 */
export function headingText(title: string, rows: readonly PresenceRow[], words: ElementWords = ENGLISH): string {
  return rows.length === 0 ? title : words.heading(title, ...tally(rows));
}

/** Names of rows that joined and left since the last announcement. */
export interface JoinsAndLeaves {
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/**
 * Returns the announcement for screen readers: changes of the connection, then joins and leaves; empty without news.
 * Age changes are not announced. `before` is the roster of the last announcement about the same client.
 */
export function newsText(
  before: RosterSnapshot | undefined,
  after: RosterSnapshot,
  { joined, left }: JoinsAndLeaves,
  words: ElementWords = ENGLISH,
): string {
  const news: string[] = [];
  const wasLive = before?.connection.phase === "live";
  const isLive = after.connection.phase === "live";
  if (after.connection.phase === "refused" && before?.connection.phase !== "refused") {
    news.push(words.connection(after.connection));
  } else if (wasLive !== isLive && before?.hasList) {
    news.push(isLive ? words.connectedAgain : words.connectionLost);
  }
  if (after.hasList && !before?.hasList) {
    news.push(words.count(...tally(after.rows)));
  } else {
    if (joined.length > 0) news.push(words.joined(joined));
    if (left.length > 0) news.push(words.gone(left));
  }
  return news.join(". ");
}

/** Returns the number of rows that did not leave, and of those that left. */
function tally(rows: readonly PresenceRow[]): [others: number, left: number] {
  const left = rows.filter(({ status }) => status === "Left").length;
  return [rows.length - left, left];
}
