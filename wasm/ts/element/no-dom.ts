/** Takes the place of `@lit-labs/ssr-dom-shim` in Lit's build for Node: what Lit extends where there are no elements. */
export class HTMLElement {}

/** Nothing is defined there. */
export const customElements = undefined;
