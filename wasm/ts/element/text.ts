import type { ConnectionState, PresenceRow, RosterSnapshot } from "../types.js";

/** What a row is called. */
export function rowName(row: PresenceRow): string {
  return row.host ?? row.instanceId ?? row.text ?? "unknown host";
}

/** What a row is, in one line: address, version, machine, mode. */
export function rowDetails(row: PresenceRow): string {
  // "Linux · Linux 6.18" says nothing twice.
  const isSaid = row.deviceFamily !== undefined && row.platformLabel.startsWith(row.deviceFamily);
  const machine = row.modelIdentifier ?? (isSaid ? undefined : row.deviceFamily);
  return [row.isOwn ? "this client" : "", row.ip, row.version, machine, row.platformLabel, row.mode].filter(Boolean).join(" · ");
}

/** The status of a row; of one that left also when: `Left 2m ago`. */
export function rowStatus({ status, ageText }: PresenceRow): string {
  return status === "Left" ? `Left ${ageText}` : status;
}

/** When a row was heard of, and why; of one that left only its last input. The gateway's own row is always fresh: it says nothing. */
export function rowSeen(row: PresenceRow): string {
  if (row.isSelf) return "";
  const input = row.lastInputText === "" ? "" : `input ${row.lastInputText}`;
  if (row.status === "Left") return input;
  return [input, row.ageText, row.reasonLabel].filter(Boolean).join(" · ");
}

/** The connection in a few words. */
export function connectionText(state: ConnectionState): string {
  switch (state.phase) {
    case "live":
      return "Live";
    case "connecting":
      return "Connecting…";
    case "waiting":
      return "Connection lost, trying again…";
    case "stopped":
      return "Not connected";
    case "refused":
      return [state.error.message, state.error.remedy].filter(Boolean).join(". ");
  }
}

/** The heading of a list and the number of its rows; those that left are counted apart: `Instances (3, 1 left)`. */
export function headingText(heading: string, rows: readonly PresenceRow[]): string {
  if (rows.length === 0) return heading;
  const { others, left } = tally(rows);
  return left === 0 ? `${heading} (${others})` : `${heading} (${others}, ${left} left)`;
}

/** What an empty list says in place of rows. */
export function emptyText({ hasList, connection }: RosterSnapshot): string {
  if (hasList) return "Nobody is here.";
  if (connection.phase === "live") return "This client may not read the list: it needs the scope operator.read.";
  return connection.phase === "connecting" ? "Waiting for the roster…" : "No roster yet.";
}

/** Who came and who went since the last news. */
export interface Comings {
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/**
 * What somebody who cannot see the list should hear: how the connection did, then who came and who went. Never that
 * somebody aged. `before` is the roster of the last news of the same client.
 */
export function newsText(before: RosterSnapshot | undefined, after: RosterSnapshot, { joined, left }: Comings): string {
  const news: string[] = [];
  const wasLive = before?.connection.phase === "live";
  const isLive = after.connection.phase === "live";
  if (after.connection.phase === "refused" && before?.connection.phase !== "refused") {
    news.push(connectionText(after.connection));
  } else if (wasLive !== isLive && before?.hasList) {
    news.push(isLive ? "Connected again" : "Connection lost");
  }
  if (after.hasList && !before?.hasList) news.push(countText(after.rows));
  else news.push(...coming(joined, "joined"), ...coming(left, "left"));
  return news.join(". ");
}

/** The number of rows; those that left are counted apart: `3 instances, 1 left`. */
function countText(rows: readonly PresenceRow[]): string {
  const { others, left } = tally(rows);
  return left === 0 ? count(others) : `${count(others)}, ${left} left`;
}

function tally(rows: readonly PresenceRow[]) {
  const left = rows.filter(({ status }) => status === "Left").length;
  return { others: rows.length - left, left };
}

function count(rows: number): string {
  return rows === 1 ? "1 instance" : `${rows} instances`;
}

/** More than three names are a number. */
function coming(who: readonly string[], what: string): string[] {
  if (who.length === 0) return [];
  return [`${who.length > 3 ? count(who.length) : who.join(", ")} ${what}`];
}
