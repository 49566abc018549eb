/** Formats a moment as the time of the day: `14:03:09`. */
export function timeOfDay(wallMs: number): string {
  return new Date(wallMs).toLocaleTimeString("en-GB");
}

const ZONED = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const DATED = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const MOMENT = new Intl.DateTimeFormat(undefined, {
  ...{ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  timeZoneName: "short",
});

/** Last moment of `Date`, in ms since the Unix epoch: peers may state later ones. */
const MAX_DATE_MS = 8.64e15;

/** Formats a moment with day and time zone, in the browser's language. */
export function moment(wallMs: number): string {
  return isMoment(wallMs) ? MOMENT.format(wallMs) : "unknown";
}

/** Formats a moment for a narrow column: the time, with the day unless it is today. */
export function shortMoment(wallMs: number): string {
  if (!isMoment(wallMs)) return "unknown";
  const isToday = new Date(wallMs).toDateString() === new Date().toDateString();
  return (isToday ? ZONED : DATED).format(wallMs);
}

/** Formats a moment for programs (ISO 8601); empty if out of range. */
export function isoMoment(wallMs: number): string {
  return isMoment(wallMs) ? new Date(wallMs).toISOString() : "";
}

function isMoment(wallMs: number): boolean {
  return Math.abs(wallMs) <= MAX_DATE_MS;
}

/** Formats a duration like a stopwatch: `03:09`, `1:03:09`. */
export function stopwatch(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const end = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${end}` : end;
}

/** Formats a duration in words, to the second: `45 s`, `2 min 5 s`, `10 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const rest = seconds % 60;
  const minutes = `${Math.floor(seconds / 60)} min`;
  return rest === 0 ? minutes : `${minutes} ${rest} s`;
}

/** Formats a duration in its two largest units: `45 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function lasted(ms: number): string {
  // Rounded like the seconds of shorter durations, so that 59 min 59.6 s is an hour.
  const minutes = Math.floor(Math.max(0, Math.round(ms / 1_000)) / 60);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return duration(ms);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Formats a number with its noun: `1 instance`, `2 instances`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Removes the characters with which a name could reverse the text after it. */
export function withoutDirections(name: string): string {
  return name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}

/** Truncates a long id. */
export function shortId(id: string): string {
  return id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
}

/** Formats a value as indented JSON. */
export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
