import type { PresenceEntry } from "openclaw-presence";

import type { SimulatedGateway } from "./simulator.js";

/** A change of a row, from the gateway's deltas. */
export interface RowNews {
  readonly kind: "appears" | "says" | "leaves";
  readonly name: string;
  /** Reason of the write or of the removal. */
  readonly reason: string;
}

interface DeltaFrame {
  readonly type?: string;
  readonly event?: string;
  readonly payload?: {
    readonly keys?: readonly string[];
    readonly presence?: readonly PresenceEntry[];
    readonly upserts?: readonly { readonly key: string; readonly entry: PresenceEntry }[];
    readonly removals?: readonly { readonly key: string; readonly reason: string }[];
    readonly snapshot?: { readonly presence?: readonly PresenceEntry[]; readonly keys?: readonly string[] };
  };
}

const LEAVING: Readonly<Record<string, string>> = {
  expired: "its time to live is over",
  evicted: "the list is full",
  replaced: "its client came back under another id",
};

/** Reports every change of the gateway's roster from its deltas. The observer has no row itself. */
export function observe(gateway: SimulatedGateway, report: (news: RowNews) => void): void {
  const names = new Map<string, string>();
  const socket = gateway.open({
    ip: "127.0.0.1",
    ontext: (text) => {
      const { event, payload } = JSON.parse(text) as DeltaFrame;
      payload?.snapshot?.keys?.forEach((key, index) => names.set(key, nameOf(payload.snapshot?.presence?.[index])));
      if (event !== "presence.delta") return;
      for (const { key, entry } of payload?.upserts ?? []) {
        report({ kind: names.has(key) ? "says" : "appears", name: nameOf(entry), reason: String(entry.reason ?? "") });
        names.set(key, nameOf(entry));
      }
      for (const { key, reason } of payload?.removals ?? []) {
        report({ kind: "leaves", name: names.get(key) ?? key, reason: LEAVING[reason] ?? reason });
        names.delete(key);
      }
    },
  });
  socket.send(
    JSON.stringify({
      type: "req",
      id: "1",
      method: "connect",
      params: {
        minProtocol: 4,
        maxProtocol: 4,
        client: { id: "cli", version: "0", platform: "web", mode: "cli" },
        role: "operator",
        scopes: ["operator.read"],
        caps: ["presence-delta"],
      },
    }),
  );
}

function nameOf(entry: PresenceEntry | undefined): string {
  return entry?.host ?? entry?.instanceId ?? "a row";
}
