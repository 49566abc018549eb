import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { randomId } from "../random.js";

/** Whether a file holds something usable, was cut off while it was written, or is somebody else's. */
export type KeptState = "whole" | "broken" | "foreign";

/** A file of another program is in the way for as long as this many tries, and so is a race. */
const MAX_TRIES = 8;

/**
 * The text in the file `path`; what `make` returns, if there is none or a broken one. It is written whole or not at
 * all, and several processes that start at once get the same text. A file that others can read is narrowed to its
 * owner. Throws when the file can neither be used nor made, or is somebody else's.
 */
export function keptText(path: string, state: (text: string) => KeptState, make: () => string): string {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const text = read(path);
    const found = text === undefined ? "absent" : state(text);
    if (found === "foreign") throw new Error(`${path} was not written by this package`);
    if (text !== undefined && found === "whole") {
      narrow(path);
      return text;
    }
    mkdirSync(dirname(path), { recursive: true });
    if (found === "broken") clear(path, state);
    create(path, make());
  }
  throw new Error(`${path} does not stay there`);
}

/** Makes the file, whole and for its owner only; `false` if there is one already. */
export function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.${randomId()}.tmp`;
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return place(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Gives the draft its name, unless something has it. */
function place(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // Where files cannot have two names, the last one stands.
    if (read(path) !== undefined) return false;
    renameSync(draft, path);
    return true;
  }
}

/** Takes a broken file away. Of several that try only one moves it; what turns out to be whole is put back. */
function clear(path: string, state: (text: string) => KeptState): void {
  const aside = `${path}.${process.pid}.${randomId()}.tmp`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (state(readFileSync(aside, "utf8")) !== "broken") place(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function narrow(path: string): void {
  if (process.platform === "win32") return;
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  } catch {
    // Somebody else's file: it is good to use, and theirs to change.
  }
}
