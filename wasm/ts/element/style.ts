/**
 * The look of `<presence-roster>`. Text takes its colour from the page, and greys are mixed from it, so that they fit
 * light and dark pages. The colours of statuses follow `color-scheme`; each has a contrast of 3:1 on light and on dark
 * pages, since a dark page may not declare its scheme. The word beside the dot states the status too, and the dot of a
 * row that left is a ring. The second block is for browsers that have `light-dark()`.
 */
export const STYLE = `
:host {
  --_active: var(--presence-color-active, #15803d);
  --_idle: var(--presence-color-idle, #b45309);
  --_stale: var(--presence-color-stale, color-mix(in srgb, currentColor 65%, transparent));
  --_left: var(--presence-color-left, var(--_stale));
  --_muted: var(--presence-color-muted, color-mix(in srgb, currentColor 80%, transparent));
  --_border: var(--presence-color-border, color-mix(in srgb, currentColor 16%, transparent));
  --_gap: var(--presence-gap, 0.75em);
  display: block;
  container-type: inline-size;
  /* The width in a container that fits the content; containment would make it 0. */
  contain-intrinsic-inline-size: 16em;
  color: var(--presence-color-text, inherit);
  background: var(--presence-background, transparent);
  font: var(--presence-font, inherit);
  font-variant-numeric: tabular-nums;
}
@supports (color: light-dark(red, red)) {
  :host {
    --_active: var(--presence-color-active, light-dark(#15803d, #1f9a4f));
    --_idle: var(--presence-color-idle, light-dark(#b45309, #c07512));
  }
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
header {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  gap: 0.25em var(--_gap);
  min-block-size: 1.5em;
  padding-block-end: 0.5em;
}
.heading { font: inherit; font-weight: 600; margin: 0; }
.connection { color: var(--_muted); }
.connection[data-phase="refused"] { color: inherit; flex-basis: 100%; }
ul { list-style: none; margin: 0; padding: 0; }
li {
  display: grid;
  grid-template-columns: auto minmax(0, 1fr) auto;
  align-items: baseline;
  column-gap: var(--_gap);
  padding-block: 0.6em;
  border-block-start: 1px solid var(--_border);
}
.dot {
  inline-size: 0.6em;
  block-size: 0.6em;
  border-radius: 50%;
  background: var(--_stale);
  forced-color-adjust: none;
}
li[data-status="Active"] .dot { background: var(--_active); }
li[data-status="Idle"] .dot { background: var(--_idle); }
li[data-status="Left"] .dot { background: transparent; border: 0.12em solid var(--_left); }
.host { font-weight: 600; overflow-wrap: anywhere; }
.status, .details, .seen { color: var(--_muted); }
.status { text-align: end; }
.details, .seen { grid-column: 2 / -1; font-size: 0.875em; min-block-size: 1.4em; overflow-wrap: anywhere; }
.seen:empty { display: none; }
.empty { color: var(--_muted); padding-block: 0.6em; border-block-start: 1px solid var(--_border); margin: 0; }
.empty[hidden] { display: none; }
.news {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@container (min-width: 34em) {
  .details { grid-column: 2; }
  .seen { grid-column: 3; grid-row: 2; text-align: end; }
}
@media (prefers-reduced-motion: no-preference) {
  .dot { transition: background-color 200ms; }
  li { animation: appear 200ms; }
  @keyframes appear { from { opacity: 0; } }
}
`;
