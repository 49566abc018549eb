// Releases a test's resources in reverse order: pages before the gateway that they are connected to.

const endsOf = new WeakMap();

/** Runs `end` when the test ends, before the functions that were registered earlier. */
export function atEnd(t, end) {
  const known = endsOf.get(t);
  if (known) return void known.push(end);
  const ends = [end];
  endsOf.set(t, ends);
  t.after(async () => {
    const failures = [];
    for (const end of ends.reverse()) await Promise.resolve().then(end).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
}
