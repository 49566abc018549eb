import type { Explanation, GatewayMethods } from "./methods.js";
import type { ConnectionState } from "./types.js";

/** A connection that may answer requests. */
interface Requester {
  readonly connection: ConnectionState;
  request(method: string, params: unknown): Promise<unknown>;
}

/** Adds the gateway's memory of a row, if it has one, to the explanation from its list. */
export async function withMemory(listed: Explanation | undefined, engine: Requester): Promise<Explanation | undefined> {
  const { connection } = engine;
  // For an instance with several rows, the list explains more than the gateway's memory of one of them.
  if (listed?.rows.length !== 1 || connection.phase !== "live" || !connection.methods.includes("presence.explain")) return listed;
  try {
    const answer = await engine.request("presence.explain", { row: listed.rows[0] });
    const { row, findings } = answer as GatewayMethods["presence.explain"]["result"];
    return row ? Object.freeze({ ...listed, ...row, key: listed.key, source: "gateway", findings }) : listed;
  } catch {
    // The row was removed meanwhile, or the connection was lost.
    return listed;
  }
}
