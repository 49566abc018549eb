/** Replaces `@lit-labs/ssr-dom-shim` in Lit's build for Node: the base class on platforms without custom elements. */
export class HTMLElement {}

/** Always absent on these platforms. */
export const customElements = undefined;
