import { LitElement } from "lit";
import type { Accessor } from "solid-js";
import type { Readable } from "svelte/store";
import type { ComputedRef } from "vue";

import { PresenceClient, type PresenceRow, type RosterSnapshot } from "openclaw-presence";
import { RosterController } from "openclaw-presence/lit";
import { PresenceProvider, useConnection, usePresenceRow, useRoster, useOwnRow } from "openclaw-presence/react";
import { createRoster } from "openclaw-presence/solid";
import { rosterStore, type RosterStore } from "openclaw-presence/store";
import { readableRoster } from "openclaw-presence/svelte";
import { useRoster as useVueRoster } from "openclaw-presence/vue";

const client = new PresenceClient();
const count = (roster: RosterSnapshot) => roster.rows.length;

class Count extends LitElement {
  readonly count: RosterController<number> = new RosterController(this, client, count);
  readonly roster: RosterController = new RosterController(this, client);
}
const store: RosterStore<number> = rosterStore(client, count);
const whole: RosterStore<RosterSnapshot> = rosterStore(client);
const readable: Readable<number> = readableRoster(client, count);
const accessor: Accessor<RosterSnapshot> = createRoster(client);
const ref: ComputedRef<number> = useVueRoster(client, count);

function useAll(): [RosterSnapshot, number, string, PresenceRow | undefined, PresenceRow | undefined] {
  return [useRoster(), useRoster(count), useConnection().phase, useOwnRow(), usePresenceRow("key")];
}
PresenceProvider({ client });
PresenceProvider({ options: { url: "ws://127.0.0.1:18789" }, children: "text" });
// @ts-expect-error: one of both
PresenceProvider({ client, options: {} });
// @ts-expect-error: a selection is read-only
ref.value = 5;

export { Count, accessor, readable, ref, store, useAll, whole };
