// A minimal use of the package: a function before `ready()`, then the roster of a pasted list.
export async function use({ ready, status, platformLabel, PresenceError, Roster }) {
  const first = status(130_000);
  await ready();
  const roster = new Roster();
  roster.apply([
    { host: "gateway-host", mode: "gateway", reason: "self", ts: Date.now() },
    { host: "Ana", instanceId: "Tab-1", reason: "connect", ts: Date.now() - 1_000 },
    { instanceId: "tab-1", ip: "192.0.2.10", reason: "disconnect", ts: Date.now() - 2_000 },
  ]);
  const rows = roster.list().map((row) => row.host);
  roster.free();
  roster.free();
  let code;
  try {
    new Roster({ ttlMs: "soon" });
  } catch (error) {
    if (error instanceof PresenceError) code = error.code;
  }
  return { first, rows, label: platformLabel("macos 26.1.3"), code };
}
