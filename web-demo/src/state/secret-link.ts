/** The secret that a gateway requires. */
export interface Secret {
  readonly kind: "token" | "password";
  readonly text: string;
}

/**
 * Returns the secret in the fragment of a gateway's link: `#token=…`. A fragment never leaves the browser. Plus signs
 * are literal.
 */
export function takeSecret(hash: string): Secret | undefined {
  const found = /^#(token|password)=([^&]+)/.exec(hash);
  if (!found) return undefined;
  const [, kind, text = ""] = found;
  return { kind: kind === "password" ? "password" : "token", text: decoded(text) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
