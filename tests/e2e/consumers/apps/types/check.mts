import { PresenceClient, PresenceError, Roster, ready, status, type PresenceRow, type Status } from "openclaw-presence";
import { PresenceClient as AloneClient } from "openclaw-presence/client";
import "openclaw-presence/element";
import { init, initSync } from "openclaw-presence/slim";
import { TestGateway } from "openclaw-presence/testing";

const word: Status = status(1, { activeMs: 5 });
const client: PresenceClient = new PresenceClient({ url: "ws://127.0.0.1:18789", token: "secret" });
const tested: PresenceClient = new PresenceClient(new TestGateway().options);
const alone: AloneClient = new AloneClient();
const rows: readonly PresenceRow[] = new Roster({ ttlMs: 5 }).list();
const code: string = new PresenceError("FREED", "").code;
const loaded: Promise<void>[] = [ready(), init("core.wasm"), init(new Uint8Array())];
initSync(new Uint8Array());

// @ts-expect-error: unknown option
new Roster({ tllMs: 5 });
// @ts-expect-error: an age is a number
status("1");

export { alone, client, code, loaded, rows, tested, word };
