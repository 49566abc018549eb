import { readFileSync, renameSync, rmSync } from "node:fs";

import { create, keptText, type KeptState } from "./kept-file.js";
import { fixedLease, isUsableId, slotId, type InstanceIdLease, type InstanceIdStore } from "../instance-id.js";
import { randomId } from "../random.js";

/** Far more processes than share one file; only keeps the search from being endless. */
const MOST_SLOTS = 1_000;

/**
 * An `instanceId` that survives restarts: a base id in the file `path`, and each running process holds the
 * lowest free slot of it by a lock file beside it: the first is `<base>`, the next `<base>.2`, and so on.
 * The lock of a process that died is taken over. Where nothing can be written the id is random.
 */
export function fileInstanceId(path: string): InstanceIdStore {
  return {
    acquire() {
      try {
        const base = keptText(path, idState, () => `${randomId()}\n`).trim();
        for (let slot = 1; slot <= MOST_SLOTS; slot += 1) {
          const release = lock(`${slotId(path, slot)}.lock`);
          if (release) return lease(slotId(base, slot), release);
        }
      } catch {
        // A read-only disk: presence works without a stable id, too.
      }
      return fixedLease(randomId());
    },
  };
}

function lease(id: string, release: () => void): InstanceIdLease {
  let isHeld = true;
  return {
    id,
    release() {
      if (isHeld) release();
      isHeld = false;
    },
  };
}

function idState(text: string): KeptState {
  return isUsableId(text) && !isCutOff(text) ? "whole" : "broken";
}

/** Whether it is the beginning of an id that this package made: past its first dash, without its end. */
function isCutOff(text: string): boolean {
  return text.length > 8 && text.length < 36 && /^[0-9a-f-]+$/i.test(text) && shape(text) === UUID_SHAPE.slice(0, text.length);
}

const UUID_SHAPE = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const shape = (text: string): string => text.replaceAll(/[0-9a-f]/gi, "x");

/** Locks this process has: its own process id in a lock file says nothing about another client of it. */
const held = new Set<string>();

function lock(path: string): (() => void) | undefined {
  if (held.has(path)) return undefined;
  if (!create(path, `${process.pid}\n`) && !takeOver(path)) return undefined;
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/** Takes the lock of a process that is gone. */
function takeOver(path: string): boolean {
  const mine = `${path}.${process.pid}`;
  let owner: string;
  try {
    owner = readFileSync(path, "utf8");
    if (isRunning(Number(owner))) return false;
    // Of several that try only one can move the file away; whoever moved somebody's fresh lock puts it back.
    renameSync(path, mine);
  } catch {
    return false;
  }
  const isStale = readFileSync(mine, "utf8") === owner;
  if (!isStale) renameSync(mine, path);
  else rmSync(mine, { force: true });
  return isStale && create(path, `${process.pid}\n`);
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  // A lock with this process's id that is not in `held` is of an earlier process with the same id.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process: it runs, it is only not ours to signal.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
