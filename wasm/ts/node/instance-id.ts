import { keptText, type KeptState } from "./kept-file.js";
import { lockFile } from "./process-lock.js";
import { fixedLease, isUsableId, MAX_SLOTS, slotId, type InstanceIdLease, type InstanceIdStore } from "../instance-id.js";
import { randomId } from "../random.js";

/**
 * Returns a store of `instanceId`s that survive restarts.
 *
 * The file `path` has a base id. Each running client holds the lowest free slot of it by a lock file beside it: the
 * first is `<base>`, the next `<base>.2`, and so on. Threads, processes, and containers that share the file never
 * share an id. The lock of a dead process is taken over; that of a dead container or a terminated worker, once it was not
 * refreshed for a minute. Where nothing can be written, the id is random.
 */
export function fileInstanceId(path: string): InstanceIdStore {
  return {
    acquire() {
      try {
        const base = keptText(path, idState, () => `${randomId()}\n`).trim();
        for (let slot = 1; slot <= MAX_SLOTS; slot += 1) {
          const release = lockFile(`${slotId(path, slot)}.lock`);
          if (release) return lease(slotId(base, slot), release);
        }
      } catch {
        // On a read-only disk presence works with an unstable id.
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

/** Whether a text is a truncated id of this package: the first group of a UUID and more, but not all of it. */
function isCutOff(text: string): boolean {
  return text.length > 8 && text.length < 36 && /^[0-9a-f-]+$/i.test(text) && shape(text) === UUID_SHAPE.slice(0, text.length);
}

const UUID_SHAPE = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const shape = (text: string): string => text.replaceAll(/[0-9a-f]/gi, "x");
