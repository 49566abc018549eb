import { PresenceError, SimulatedGateway, VirtualClock, ready, status, type PresenceEntry, type Status } from "openclaw-presence";
import { init, initSync } from "openclaw-presence/slim";

const word: Status = status(1, { activeMs: 5 });
const gateway: SimulatedGateway = new SimulatedGateway({ clock: new VirtualClock(), ttlMs: 5 });
const rows: readonly PresenceEntry[] = gateway.list();
const code: string = new PresenceError("FREED", "").code;
const loaded: Promise<void>[] = [ready(), init("core.wasm"), init(new Uint8Array())];
initSync(new Uint8Array());

// @ts-expect-error: what is no option is refused
new SimulatedGateway({ tllMs: 5 });
// @ts-expect-error: an age is a number
status("1");

export { code, loaded, rows, word };
