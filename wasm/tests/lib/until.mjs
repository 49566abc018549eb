// Waits, without sleeping, until a client's roster meets a condition.

/** Time limit of a wait, in ms: far longer than any wait takes, so that no test fails on a slow machine. */
export const LIMIT_MS = 20_000;

/** Waits until `holds(client.roster)` is true, or rejects with the rows at the timeout. */
export async function until(client, what, holds, limitMs = LIMIT_MS) {
  const late = Promise.withResolvers();
  const timer = setTimeout(() => {
    const { rows, connection } = client.roster;
    const shown = rows.map(({ host, reason, instanceId }) => [host, reason, instanceId]);
    late.reject(new Error(`no ${what} within ${limitMs} ms: ${connection.phase} ${JSON.stringify(shown)}`));
  }, limitMs);
  const seen = Promise.withResolvers();
  const look = () => holds(client.roster) && seen.resolve(client.roster);
  const unsubscribe = client.subscribe(look);
  look();
  try {
    return await Promise.race([seen.promise, late.promise]);
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}
