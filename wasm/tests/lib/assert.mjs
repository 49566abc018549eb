// The few assertions that the suites use, in Node and in browsers.

class AssertionError extends Error {
  name = "AssertionError";
}

function fail(message, detail) {
  throw new AssertionError(message ? `${message}: ${detail}` : detail);
}

function show(value) {
  if (value instanceof Error) return String(value);
  return JSON.stringify(value, (_, member) => (member === undefined ? "(undefined)" : member)) ?? String(value);
}

export function ok(value, message) {
  if (!value) fail(message, `${show(value)} is not truthy`);
}

export function equal(actual, expected, message) {
  if (!Object.is(actual, expected)) fail(message, `expected ${show(expected)}, got ${show(actual)}`);
}

export function notEqual(actual, other, message) {
  if (Object.is(actual, other)) fail(message, `both are ${show(actual)}`);
}

/** Asserts that both values have the same members and elements, recursively. */
export function deepEqual(actual, expected, message) {
  const path = difference(actual, expected, "");
  if (path !== undefined) fail(message, `differs at ${path || "."}: expected ${show(expected)}, got ${show(actual)}`);
}

function difference(a, b, path) {
  if (Object.is(a, b)) return undefined;
  const areObjects = typeof a === "object" && typeof b === "object" && a !== null && b !== null;
  if (!areObjects || Array.isArray(a) !== Array.isArray(b)) return path;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (!Object.hasOwn(a, name) || !Object.hasOwn(b, name)) return `${path}.${name}`;
    const inner = difference(a[name], b[name], `${path}.${name}`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

export function match(text, pattern, message) {
  if (typeof text !== "string" || !pattern.test(text)) fail(message, `${show(text)} does not match ${pattern}`);
}

/** Asserts that `work` throws an error with this code, or returns a promise that is rejected with one. */
export async function failsWith(code, work, message) {
  let result;
  try {
    result = await work();
  } catch (error) {
    if (error?.code !== code) fail(message, `expected ${code}, got ${error?.code ?? ""} ${error?.stack ?? error}`);
    return error;
  }
  return fail(message, `expected ${code}, got ${show(result)}`);
}
