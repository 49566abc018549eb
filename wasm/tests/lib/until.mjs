// Waiting without sleeping: for what a client's roster comes to show.

/** Far above what anything here takes, so that a slow machine fails no test. */
export const LIMIT_MS = 20_000;

/** Waits until `holds(client.roster)`, or says what there was instead. */
export async function until(client, what, holds, limitMs = LIMIT_MS) {
  const late = Promise.withResolvers();
  const timer = setTimeout(() => {
    const { rows, connection } = client.roster;
    late.reject(new Error(`no ${what} within ${limitMs} ms: ${connection.phase} ${JSON.stringify(rows.map(({ host, reason, instanceId }) => [host, reason, instanceId]))}`));
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
