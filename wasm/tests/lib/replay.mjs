// Writes what a replay shows, like tests/conformance/simulation/src/recorded.rs. For Node and pages.

/** The recording of a busy minute: 1,000 clients and 10,000 inputs of the first seed. */
export const busyMinute = (simulation) => simulation.recording(1, 1_000, 10_000);

/** One line for each second, two for other bounds, and the list at the end. `digest` hashes a text. */
export async function shown(openRecording, text, digest) {
  const recording = openRecording(text);
  if (recording.problem !== undefined) throw new Error(recording.problem);
  const lines = [`recording ${await digest(text)}`];
  const line = (ms, bounds) => {
    const moment = recording.at(ms, bounds);
    lines.push(`${ms} ms: ${moment.digest}, ${moment.inputs} inputs, ${moment.rows.length} rows`);
    return moment.rows;
  };
  for (let second = 0; second <= 60; second += 1) line(second * 1_000);
  line(30_000, { ttlMs: 10_000 });
  line(30_000, { maxEntries: 50 });
  for (const row of line(60_000)) lines.push(JSON.stringify(row));
  recording.free();
  return lines.join("\n") + "\n";
}
