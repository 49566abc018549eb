import { h, write } from "../lib/dom.js";
import { count, duration } from "../lib/format.js";
import type { Session } from "../state/session.js";
import { Facts } from "./facts.js";

/** Between two refreshes, and two measurements of the latency, in ms. */
const REFRESH_MS = 1_000;
const MEASURE_MS = 5_000;

/** How well the connection works. It measures only while it is open. */
export function healthBox(session: Session): HTMLElement {
  const summary = h("span", { class: "sub" });
  const facts = new Facts({ latency: "Latency", connections: "Connections", received: "Received", sent: "Sent", lists: "List requests", methods: "Gateway", statuses: "Statuses" });
  const box = h("details", { class: "card timeline health" }, h("summary", {}, h("h2", {}, "Connection health"), summary), facts.element);
  let timers: ReturnType<typeof setInterval>[] = [];

  const refresh = () => {
    const { health, live } = session;
    const connection = live.value.roster?.connection;
    const isLive = connection?.phase === "live";
    const last = health.lastFrameAtMs === undefined ? "" : `The last one ${duration(Date.now() - health.lastFrameAtMs)} ago.`;
    facts.set("latency", isLive && health.latencyMs !== undefined ? `${health.latencyMs.toFixed(1)} ms` : "–", `One request and its answer, measured every ${MEASURE_MS / 1_000} s while this is open.`);
    facts.set("connections", String(health.connections), "Each after the first is a reconnect.");
    facts.set("received", `${count(health.framesIn, "frame")}, ${(health.bytesIn / 1_000).toFixed(1)} kB`, last);
    facts.set("sent", count(health.framesOut, "frame"));
    facts.set("lists", String(health.listRequests), "Requests for the whole list: after a missed frame or a digest that differs; without deltas also before a status would change.");
    facts.set("methods", isLive ? count(connection.methods.length, "method") : "–", isLive && connection.connId ? `Connection ${connection.connId}` : "");
    facts.set("statuses", "Active up to 2 min, Idle up to 5 min, then Stale", "By the age of a row, on the gateway's clock.");
  };
  const measure = async () => {
    const { client, health } = session;
    if (client && session.live.value.roster?.connection.phase === "live") await health.measure(client);
    refresh();
  };
  const stop = () => {
    for (const timer of timers) clearInterval(timer);
    timers = [];
  };
  box.addEventListener("toggle", () => {
    stop();
    if (!box.open) return;
    refresh();
    void measure();
    timers = [setInterval(refresh, REFRESH_MS), setInterval(() => document.hidden || void measure(), MEASURE_MS)];
  });
  session.live.watch(({ roster }) => {
    write(summary, roster?.connection.phase === "live" ? "live" : "offline");
    if (box.open) refresh();
  });
  return box;
}
