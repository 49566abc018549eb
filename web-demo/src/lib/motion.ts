import { noChange } from "lit";
import { Directive, directive, type ElementPart } from "lit/directive.js";

const MOVE: KeyframeAnimationOptions = { duration: 220, easing: "cubic-bezier(.2,.7,.2,1)" };
const APPEAR: KeyframeAnimationOptions = { duration: 260, easing: "ease-out" };
const LIGHT: KeyframeAnimationOptions = { duration: 1_400, easing: "ease-out" };

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Applies `change` to the children of `list` and animates the result: children that stay glide from their old places,
 * new ones fade in. Nothing is measured or animated with reduced motion or on a hidden page.
 */
export function glide(list: Element, change: () => void): void {
  if (reduced.matches || document.hidden || !isShown(list)) return change();
  const before = tops(list);
  change();
  const height = innerHeight;
  for (const [child, top] of tops(list)) {
    const old = before.get(child);
    if (old === undefined) {
      if (before.size > 0 && isNear(top, height)) child.animate([{ opacity: 0 }, { opacity: 1 }], APPEAR);
    } else if (old !== top && isNear(top, height) && isNear(old, height)) {
      child.animate([{ transform: `translateY(${old - top}px)` }, { transform: "none" }], MOVE);
    }
  }
}

function isShown(element: Element): boolean {
  return element.getClientRects().length > 0;
}

function tops(list: Element): Map<Element, number> {
  return new Map([...list.children].map((child) => [child, child.getBoundingClientRect().top]));
}

/** Whether an element at this position is visible, or nearly. */
function isNear(top: number, height: number): boolean {
  return top > -200 && top < height + 200;
}

class LightUp extends Directive {
  #news: string | undefined;

  render(_news: string) {
    return noChange;
  }

  override update({ element }: ElementPart, [news]: [string]) {
    const isOther = this.#news !== undefined && this.#news !== news;
    this.#news = news;
    if (isOther && !reduced.matches) element.animate([{ backgroundColor: "var(--lit)" }, {}], LIGHT);
    return noChange;
  }
}

/** Highlights an element when its news change. */
export const lightUp = directive(LightUp);
