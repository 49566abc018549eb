/** A time that a chart marks. */
export interface Tick {
  /** Position in the window: 0 is its start, 1 its end. */
  readonly part: number;
  readonly text: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances of ticks, in ms. */
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY] as const;
/** Maximum number of steps in a window: this many texts fit on a narrow page. */
const MOST = 5;
/** Minimum distance from an edge, below which a text would be cut off. */
const EDGE = 0.06;

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Returns round local times within a window, far enough from its edges. */
export function ticks(fromMs: number, toMs: number): readonly Tick[] {
  const length = toMs - fromMs;
  const step = STEPS.find((each) => length / each <= MOST) ?? length;
  const format = step < DAY ? TIME : DATE;
  const start = new Date(fromMs);
  const found: Tick[] = [];
  let lastMs = fromMs;
  for (let index = 0; lastMs < toMs; index += 1) {
    // In local time since midnight, so that times stay round when the clocks change. A skipped time gives a later one,
    // which is not marked twice.
    const ms = new Date(start.getFullYear(), start.getMonth(), start.getDate(), 0, 0, 0, index * step).getTime();
    if (ms <= lastMs) continue;
    lastMs = ms;
    const part = (ms - fromMs) / length;
    if (part >= EDGE && part <= 1 - EDGE) found.push({ part, text: format.format(ms) });
  }
  return found;
}
