// JSON with the members of every object sorted by name, and values laid over each other.

/** JSON text without spaces, members sorted. */
export function sortedJson(value) {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${sortedJson(value[name])}`);
  return `{${members.join(",")}}`;
}

/** Whether a JSON value is an object, not a list and not null. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `over` laid over `base`: objects member by member, `null` removes, anything else replaces. */
export function layOver(base, over) {
  const merged = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete merged[name];
    else if (isObject(value)) merged[name] = layOver(isObject(merged[name]) ? merged[name] : {}, value);
    else merged[name] = value;
  }
  return merged;
}
