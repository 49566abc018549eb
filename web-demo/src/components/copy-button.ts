import { copyText } from "../lib/clipboard.js";
import { h, replace, write } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** How long the button says that it is done, in ms. */
const SAID_MS = 1_600;

/** A button that copies a text and says so. */
export function copyButton(label: string, text: () => string): HTMLElement {
  const button = h("button", { type: "button", class: "button quiet" }, icon("copy"), label);
  const said = h("span", { class: "off-screen", role: "status" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    const isDone = await copyText(text());
    const word = isDone ? "Copied" : "Not allowed";
    replace(button, icon(isDone ? "check" : "copy"), word);
    write(said, word);
    clearTimeout(timer);
    timer = setTimeout(() => {
      replace(button, icon("copy"), label);
      write(said, "");
    }, SAID_MS);
  });
  return h("span", { class: "copy" }, button, said);
}
