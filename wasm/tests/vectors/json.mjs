// JSON with sorted members, and merging of JSON values.

/** Returns JSON text without spaces, with the members of every object sorted by name. */
export function sortedJson(value) {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${sortedJson(value[name])}`);
  return `{${members.join(",")}}`;
}

/** Returns whether a JSON value is an object: not a list and not null. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Merges `over` into `base`: objects member by member, `null` removes a member, any other value replaces. */
export function layOver(base, over) {
  const merged = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete merged[name];
    else if (isObject(value)) merged[name] = layOver(isObject(merged[name]) ? merged[name] : {}, value);
    else merged[name] = value;
  }
  return merged;
}
