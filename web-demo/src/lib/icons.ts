import { html, type TemplateResult } from "lit";

/** Line icons on a grid of 24, drawn with the current colour. */
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  auto: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 4v16M12 8h6.9M12 12h8M12 16h6.9",
  play: "M8 5.5v13l11-6.5z",
  pause: "M8 5.5v13M16 5.5v13",
  next: "M6 5.5v13l9-6.5zM18 5.5v13",
  restart: "M5 5v5h5M5.5 10A7.5 7.5 0 1 1 4.6 14",
  link: "M10 14a4 4 0 0 0 5.7 0l3.4-3.4a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.4 3.4a4 4 0 0 0 5.7 5.7L12 17.7",
  twins: "M8 6h11v11H8zM5 9v11h11",
  reverse: "M8 5v14M4.5 15.5L8 19l3.5-3.5M16 19V5M12.5 8.5L16 5l3.5 3.5",
  columns: "M4 5h16v14H4zM10 5v14M15 5v14",
  sleep: "M13 5h6l-6 7h6M5 12h5l-5 6h5",
  signal: "M12 18.5v.01M8.5 15a5 5 0 0 1 7 0M5.5 12a9.2 9.2 0 0 1 13 0",
  plug: "M9 4v5M15 4v5M7 9h10v3a5 5 0 0 1-10 0zM12 17v4",
  drop: "M4 4l16 16M9 9v3a5 5 0 0 0 7.5 4.3M17 12V9h-5M15 4v5M12 17v4",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  mac: "M4 5h16v11H4zM9 20h6M12 16v4",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  node: "M5 4h14v6H5zM5 14h14v6H5zM8.5 7v.01M8.5 17v.01",
  cli: "M4 5h16v14H4zM7.5 9.5l3 2.5-3 2.5M12.5 15h4",
  crowd: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 19a6 6 0 0 1 12 0M16 5.2a3 3 0 0 1 0 5.6M18 19a6 6 0 0 0-2.5-4.9",
  gateway: "M12 4l7 4v8l-7 4-7-4V8zM12 12l7-4M12 12L5 8M12 12v8",
  open: "M13 5h6v6M19 5l-9 9M17 14v5H5V7h5",
  chevron: "M7 10l5 5 5-5",
  info: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 11v5M12 8v.01",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** Renders an icon. It is hidden from screen readers, so put words beside it. */
export function icon(name: IconName): TemplateResult {
  return html`<svg viewBox="0 0 24 24" class="icon" aria-hidden="true"><path d=${PATHS[name]}></path></svg>`;
}
