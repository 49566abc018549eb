import { readFileSync, readlinkSync, rmSync, statSync, utimesSync } from "node:fs";
import { hostname } from "node:os";
import { threadId } from "node:worker_threads";

import { clear, create } from "./kept-file.js";

/** Interval, in ms, at which the holder refreshes its lock: processes elsewhere cannot see whether it lives. */
const REFRESH_MS = 15_000;
/** A lock of another machine, container or worker that was not refreshed for this long is abandoned, in ms. */
const ABANDONED_MS = 60_000;
/** Tolerance between two readings of a process's start time, in ms. */
const SAME_START_MS = 50;

/** The contents of a lock file: the holder. */
interface Holder {
  readonly pid: number;
  /** When the process started, in ms on the machine's monotonic clock. */
  readonly startMs: number;
  /** When the process started, as Linux states it to all processes; absent where it is unknown. */
  readonly startTicks?: string | undefined;
  /** The worker thread; 0 for the main thread, which lives as long as the process. */
  readonly thread: number;
  /** The scope of the pid: one boot of one machine, and there one container. */
  readonly place: string;
}

/**
 * Locks a file for one client, across threads, processes and containers that share the volume.
 *
 * @returns the function that unlocks it; `undefined` if the lock is held.
 */
export function lockFile(path: string): (() => void) | undefined {
  const text = `${JSON.stringify(myself())}\n`;
  if (!create(path, text) && !takeOver(path, text)) return undefined;
  // A process that was suspended for long may have lost the lock.
  const isMine = () => readText(path) === text;
  const timer = setInterval(() => isMine() && refresh(path), REFRESH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (isMine()) rmSync(path, { force: true });
  };
}

/** Takes over the lock of a dead process. */
function takeOver(path: string, text: string): boolean {
  const found = readText(path);
  if (found === undefined || isHeld(path, found)) return false;
  clear(path, (moved) => moved === found);
  return create(path, text);
}

function isHeld(path: string, text: string): boolean {
  const holder = readHolder(text);
  if (!holder) return false;
  const me = myself();
  if (holder.place !== me.place) return isRefreshed(path);
  // A dead process may have had this pid, with another start time; another thread or copy of this package has both.
  const isOwn = holder.pid === me.pid && Math.abs(holder.startMs - me.startMs) < SAME_START_MS;
  const isOther = holder.pid !== me.pid && isRunning(holder.pid) && isSameStart(holder.startTicks, startTicks(holder.pid));
  if (!isOwn && !isOther) return false;
  // A worker that was terminated leaves its lock.
  return holder.thread === 0 || (isOwn && holder.thread === me.thread) || isRefreshed(path);
}

function isRefreshed(path: string): boolean {
  const refreshedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return Date.now() - refreshedMs < ABANDONED_MS;
}

/** Whether a process may be the one that wrote the lock, not a later one that got its pid. */
function isSameStart(written: string | undefined, found: string | undefined): boolean {
  return written === undefined || found === undefined || written === found;
}

function readHolder(text: string): Holder | undefined {
  try {
    // Earlier versions wrote no thread.
    const { pid, startMs, startTicks, thread = 0, place } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || pid! <= 0 || typeof startMs !== "number" || typeof place !== "string") return undefined;
    return { pid: pid!, startMs, startTicks, thread, place };
  } catch {
    return undefined;
  }
}

function myself(): Holder {
  const startMs = Math.round(Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1_000);
  return { pid: process.pid, startMs, startTicks: startTicks(process.pid), thread: threadId, place };
}

const place = [hostname(), linux(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")), linux(() => readlinkSync("/proc/self/ns/pid"))]
  .map((part) => part.trim())
  .join(" ");

/** Whether /proc shows the processes by the pids of this process's namespace, which it may not in a sandbox. */
const hasOwnProc = linux(() => readlinkSync("/proc/self")) === String(process.pid);

/** Returns when a process started, in clock ticks since the boot; `undefined` where it is unknown. */
function startTicks(pid: number): string | undefined {
  const stat = hasOwnProc ? linux(() => readFileSync(`/proc/${pid}/stat`, "utf8")) : "";
  // Member 22 of proc_pid_stat(5). The name, member 2, is in parentheses and may contain blanks and parentheses.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Values that only Linux has; empty on other systems. */
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
    // The file was already removed.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process of another user, which runs but cannot be signalled.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
