import { PresenceClient, PresenceError, Roster, ageTextIn, displayStatus, ready, status, type AgeStatus, type PresenceRow, type Status } from "openclaw-presence";
import { PresenceClient as AloneClient } from "openclaw-presence/client";
import "openclaw-presence/element";
import type { ElementLabels, PresenceRosterElement } from "openclaw-presence/element";
import { init, initSync } from "openclaw-presence/slim";
import { TestGateway } from "openclaw-presence/testing";

const word: AgeStatus = status(1, { activeMs: 5 });
const shown: Status = displayStatus(["disconnect", undefined], 1);
const client: PresenceClient = new PresenceClient({ url: "ws://127.0.0.1:18789", token: "secret" });
class OwnSocket extends WebSocket {}
const own: PresenceClient = new PresenceClient({ WebSocket: OwnSocket });
const tested: PresenceClient = new PresenceClient(new TestGateway().options);
const alone: AloneClient = new AloneClient();
const rows: readonly PresenceRow[] = new Roster({ ttlMs: 5 }).list();
const code: string = new PresenceError("FREED", "").code;
const loaded: Promise<void>[] = [ready(), init("core.wasm"), init(new Uint8Array())];
initSync(new Uint8Array());

const health: Promise<number> = client.request("health").then(({ ts }) => ts);
const node: Promise<string> = client.request("node.describe", { nodeId: "n" }, { signal: AbortSignal.timeout(5) }).then(({ nodeId }) => nodeId);
const other: Promise<unknown> = client.request("chat.history", { any: "thing" });
const labels = new Roster({ labels: { ageText: ageTextIn("de") } });
// @ts-expect-error: it needs a nodeId
void client.request("node.describe", {});
// @ts-expect-error: what is unknown has to be narrowed
void client.request("chat.history").then(({ messages }) => messages);
// @ts-expect-error: unknown option
new Roster({ tllMs: 5 });
// @ts-expect-error: an age is a number
status("1");
// @ts-expect-error: no age is Left
const never: AgeStatus = "Left";

const element: PresenceRosterElement = document.createElement("presence-roster");
const words: ElementLabels = { title: "Instanzen", ageText: ageTextIn("de") };
Object.assign(element, { client, headingLevel: 3, labels: words });
element.addEventListener("error", ({ error }) => console.log(error.code));
// @ts-expect-error: the element sets it
element.roster = client.roster;

export { element, health, labels, node, other };
export { alone, client, code, loaded, never, own, rows, shown, tested, word };
