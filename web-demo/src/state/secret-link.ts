/** What a gateway asks for. */
export interface Secret {
  readonly kind: "token" | "password";
  readonly text: string;
}

/**
 * The secret in the fragment of the link that a gateway prints: `#token=…`. A fragment never leaves the browser.
 * Plus signs are meant as they are.
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
