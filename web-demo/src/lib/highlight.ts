import { h } from "./dom.js";

/** Comments, texts, then words of the languages; what matches first counts. */
const TOKENS =
  /(?<comment>\/\/.*|<!--.*?-->)|(?<text>"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|(?<word>\b(?:import|from|const|type|if|return|new|as|extends)\b)|(?<tag><\/?[a-z][\w-]*|\/?>)/g;

/** A source as coloured code: enough for a page of TypeScript or HTML. */
export function highlight(source: string): HTMLElement {
  const code = h("code");
  let end = 0;
  for (const match of source.matchAll(TOKENS)) {
    code.append(source.slice(end, match.index));
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] ?? "";
    code.append(h("span", { class: `token-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  code.append(source.slice(end));
  return code;
}
