import type { Explanation, GatewayMethods } from "./methods.js";
import type { ConnectionState } from "./types.js";

/** A connection that can be asked. */
interface Asked {
  readonly connection: ConnectionState;
  request(method: string, params: unknown): Promise<unknown>;
}

/** Adds what the gateway remembers, if it does, to what its list says about a row. */
export async function withMemory(listed: Explanation | undefined, engine: Asked): Promise<Explanation | undefined> {
  const { connection } = engine;
  // Of an instance with several rows the list says more than the gateway does of one of them.
  if (listed?.rows.length !== 1 || connection.phase !== "live" || !connection.methods.includes("presence.explain")) return listed;
  try {
    const answer = await engine.request("presence.explain", { row: listed.rows[0] });
    const { row, findings } = answer as GatewayMethods["presence.explain"]["result"];
    return row ? Object.freeze({ ...listed, ...row, key: listed.key, source: "gateway", findings }) : listed;
  } catch {
    // The row is gone meanwhile, or the connection.
    return listed;
  }
}
