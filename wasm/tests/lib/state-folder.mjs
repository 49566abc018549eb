// Imported first by tests in Node: the package then stores its files in a temporary folder.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "openclaw-presence-state-"));
process.env.XDG_STATE_HOME = process.env.LOCALAPPDATA = process.env.HOME = folder;
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
