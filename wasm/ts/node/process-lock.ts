import { readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { hostname } from "node:os";

import { create } from "./kept-file.js";

/** How often the holder of a lock shows that it is alive to processes that cannot see it, in ms. */
const REFRESH_MS = 15_000;
/** A lock of another machine or container that was not refreshed for this long is abandoned, in ms. */
const ABANDONED_MS = 60_000;
/** Two readings of one process's start differ by less than this, in ms. */
const SAME_START_MS = 50;

/** Who holds a lock, as the lock file has it. */
interface Holder {
  readonly pid: number;
  /** When the process started, in ms on the machine's monotonic clock. */
  readonly startMs: number;
  /** Where its pid means something: one run of one machine, and there one container. */
  readonly place: string;
}

/**
 * Locks a file for one client: no other one has it, be it in the same thread, in a worker thread, in another process, or
 * in a container that shares the volume.
 *
 * @returns what unlocks it; nothing if somebody has it.
 */
export function lockFile(path: string): (() => void) | undefined {
  const text = `${JSON.stringify(myself())}\n`;
  if (!create(path, text) && !takeOver(path, text)) return undefined;
  // A process that slept for long may have lost it.
  const isMine = () => readText(path) === text;
  const timer = setInterval(() => isMine() && refresh(path), REFRESH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (isMine()) rmSync(path, { force: true });
  };
}

/** Takes the lock of a process that is gone. */
function takeOver(path: string, text: string): boolean {
  const mine = `${path}.${process.pid}`;
  let found: string;
  try {
    found = readFileSync(path, "utf8");
    if (isHeld(found, Date.now() - statSync(path).mtimeMs)) return false;
    // Of several that try only one can move the file away; whoever moved somebody's fresh lock puts it back.
    renameSync(path, mine);
  } catch {
    return false;
  }
  const isStale = readFileSync(mine, "utf8") === found;
  if (!isStale) renameSync(mine, path);
  else rmSync(mine, { force: true });
  return isStale && create(path, text);
}

function isHeld(text: string, unrefreshedMs: number): boolean {
  const holder = readHolder(text);
  if (!holder) return false;
  const me = myself();
  if (holder.place !== me.place) return unrefreshedMs < ABANDONED_MS;
  // An earlier process may have had this process's id; another thread or copy of this package has its start too.
  if (holder.pid === me.pid) return Math.abs(holder.startMs - me.startMs) < SAME_START_MS;
  return isRunning(holder.pid);
}

function readHolder(text: string): Holder | undefined {
  try {
    const { pid, startMs, place } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || pid! <= 0 || typeof startMs !== "number" || typeof place !== "string") return undefined;
    return { pid: pid!, startMs, place };
  } catch {
    return undefined;
  }
}

function myself(): Holder {
  const startMs = Math.round(Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1_000);
  return { pid: process.pid, startMs, place };
}

const place = [hostname(), linux(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")), linux(() => readlinkSync("/proc/self/ns/pid"))]
  .map((part) => part.trim())
  .join(" ");

/** What only Linux tells; elsewhere empty. */
function linux(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function refresh(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody removed it.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process: it runs, it is only not ours to signal.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
