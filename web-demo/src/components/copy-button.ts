import { h, replace } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { copyText } from "../lib/clipboard.js";

/** How long the button says that it is done, in ms. */
const SAID_MS = 1_600;

/** A button that copies a text and says so. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const say = h("span", { role: "status" }, label);
  const button = h("button", { type: "button", class: "button quiet" }, icon("copy"), say);
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    const isDone = await copyText(text());
    replace(button, icon(isDone ? "check" : "copy"), say);
    say.textContent = isDone ? "Copied" : "Not allowed";
    clearTimeout(timer);
    timer = setTimeout(() => {
      replace(button, icon("copy"), say);
      say.textContent = label;
    }, SAID_MS);
  });
  return button;
}
