import { render, type TemplateResult } from "lit";

/** What can be put into an element. Strings become text, never markup. */
export type Child = Node | string | number | false | undefined | readonly Child[];

type Listeners = { readonly [type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[type]) => void };

/** What can be said about an element beside its children. */
export interface Props {
  readonly class?: string;
  readonly on?: Listeners;
  readonly data?: Readonly<Record<string, string>>;
  /** Any other attribute; `true` is the empty one, `false` and nothing leave it out. */
  readonly [attribute: string]: string | number | boolean | undefined | Listeners | Readonly<Record<string, string>>;
}

/** Makes an element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name === "on") addListeners(element, value as Listeners);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** Puts in new children for the old. */
export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Writes a text, unless it is there already: then nothing is drawn or spoken anew. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, unless it is so already; nothing takes it away. */
export function set(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

let ids = 0;

/** An id that no other element has. */
export function uniqueId(name: string): string {
  ids += 1;
  return `${name}-${ids}`;
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === false || child === undefined) continue;
    if (Array.isArray(child)) append(element, child as readonly Child[]);
    else element.append(child instanceof Node ? child : String(child));
  }
}

function addListeners(element: HTMLElement, listeners: Listeners): void {
  for (const [type, listener] of Object.entries(listeners)) {
    element.addEventListener(type, listener as EventListener);
  }
}

/** The element of a template. */
export function node(template: TemplateResult): HTMLElement {
  const box = document.createElement("div");
  render(template, box);
  return box.firstElementChild as HTMLElement;
}
