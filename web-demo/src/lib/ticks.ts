/** A time that is marked in a picture. */
export interface Tick {
  /** Where it is in the window: from 0, its beginning, to 1. */
  readonly part: number;
  readonly text: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances of ticks, in ms. */
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY] as const;
/** Most steps in a window: as many texts fit a narrow page. */
const MOST = 5;
/** So near to an edge a text would be cut. */
const EDGE = 0.06;

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Round times of the local day within a window, far enough from its edges. */
export function ticks(fromMs: number, toMs: number): readonly Tick[] {
  const length = toMs - fromMs;
  const step = STEPS.find((each) => length / each <= MOST) ?? length;
  const format = step < DAY ? TIME : DATE;
  // Midnight here, from which the steps count; where the clocks change within the window they are off by an hour.
  const midnight = new Date(fromMs).setHours(0, 0, 0, 0);
  const found: Tick[] = [];
  for (let ms = midnight; ms < toMs; ms += step) {
    const part = (ms - fromMs) / length;
    if (part >= EDGE && part <= 1 - EDGE) found.push({ part, text: format.format(ms) });
  }
  return found;
}
