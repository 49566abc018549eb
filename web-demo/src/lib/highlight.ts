import { html } from "lit";

/** Comments, strings, then keywords; the first match wins. */
const TOKENS =
  /(?<comment>\/\/.*|<!--.*?-->)|(?<text>"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|(?<word>\b(?:import|from|const|type|if|return|new|as|extends)\b)|(?<tag><\/?[a-z][\w-]*|\/?>)/g;

/** Renders source text with syntax colours: enough for a page of TypeScript or HTML. */
export function highlight(source: string) {
  const parts: unknown[] = [];
  let end = 0;
  for (const match of source.matchAll(TOKENS)) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? "";
    parts.push(source.slice(end, match.index), html`<span class="token-${kind}">${match[0]}</span>`);
    end = match.index + match[0].length;
  }
  return html`<code>${parts}${source.slice(end)}</code>`;
}
