import type { Explanation, FindingReport, PresenceRow } from "openclaw-presence";

import { Store } from "../lib/store.js";
import { hostOf } from "./kinds.js";
import { BOUNDS, clientsAdded, EMPTY_SCRIPT, withAction, withoutAction, type Action, type Deed, type Script } from "./script.js";
import type { SimClient } from "./sim-client.js";
import { sentence, World, type Step } from "./world.js";

/** The displayed state of the world at one moment. */
export interface Frame {
  readonly script: Script;
  readonly nowMs: number;
  /** The end of the slider. */
  readonly horizonMs: number;
  /** Speed relative to real time; 0 while paused. */
  readonly rate: number;
  readonly rows: readonly PresenceRow[];
  readonly findings: readonly FindingReport[];
  /** Number of findings omitted from the gateway's answer for lack of room. */
  readonly leftOut: number;
  readonly clients: readonly SimClient[];
  readonly past: readonly Step[];
  readonly future: readonly Step[];
  /** Why the world could not be built; empty if it was. */
  readonly problem: string;
}

/** Maximum real time per animation frame: longer gaps, such as after a hidden page, are not caught up. */
const LONGEST_FRAME_MS = 250;
/** A little longer than the gateway's coalescing window. */
const SETTLE_MS = 60;
/** Interval of requests for findings while time passes, in ms. */
const FIND_AFTER_MS = 250;
/** Minimum end of the slider, and the step by which it grows. */
const LEAST_HORIZON_MS = 600_000;
const HORIZON_STEP_MS = 300_000;

const START: Frame = {
  script: EMPTY_SCRIPT,
  nowMs: 0,
  horizonMs: LEAST_HORIZON_MS,
  rate: 0,
  rows: [],
  findings: [],
  leftOut: 0,
  clients: [],
  past: [],
  future: [],
  problem: "",
};

/** A pending request for the explanation of a row. */
interface Question {
  readonly key: string;
  readonly resolve: (explanation: Explanation | undefined) => void;
}

/**
 * Plays a script. Forward, time advances through the world's own timers; back, the world is rebuilt from the start,
 * which is fast and deterministic.
 */
export class Player {
  readonly frame = new Store<Frame>(START);
  #script: Script = EMPTY_SCRIPT;
  #world: World | undefined;
  /** Number of actions already applied to the world. */
  #done = 0;
  /** The target moment, and whether the world has to be rebuilt to reach it. */
  #wantedMs = 0;
  #isOutdated = true;
  #isWorking = false;
  #rate = 0;
  #untilMs = Number.POSITIVE_INFINITY;
  #drawnMs = 0;
  #horizonMs = LEAST_HORIZON_MS;
  #problem = "";
  #foundMs = Number.NEGATIVE_INFINITY;
  /** Pending requests for explanations. */
  #questions: Question[] = [];

  /** Loads a script and goes to a moment of it. The slider extends beyond its end. */
  load(script: Script, nowMs = 0, endMs = 0): void {
    this.#rate = 0;
    this.#script = script;
    this.#horizonMs = LEAST_HORIZON_MS;
    this.#widen(endMs);
    this.#go(nowMs, true);
  }

  /** Advances time continuously, at most to `untilMs`. */
  play(rate: number, untilMs = Number.POSITIVE_INFINITY): void {
    const wasStill = this.#rate === 0;
    this.#rate = rate;
    this.#untilMs = untilMs;
    this.#publish();
    if (!wasStill || rate === 0) return;
    this.#drawnMs = performance.now();
    requestAnimationFrame(() => this.#tick());
  }

  pause(): void {
    this.#rate = 0;
    this.#publish();
  }

  /** Goes to a moment, forward or back. */
  seek(ms: number): void {
    const wanted = Math.min(Math.max(ms, 0), BOUNDS.atMs.most);
    this.#untilMs = Number.POSITIVE_INFINITY;
    this.#go(wanted, this.#isOutdated || wanted < this.#wantedMs);
  }

  /** Retries after a failure. */
  retry(): void {
    this.#go(this.#wantedMs, true);
  }

  /** Goes to the next scheduled action. */
  next(): void {
    const next = this.#script.actions.find(({ atMs }) => atMs > this.#wantedMs);
    if (next) this.seek(next.atMs + SETTLE_MS);
  }

  /** Explains the row with that key. */
  explain(key: string): Promise<Explanation | undefined> {
    return new Promise((resolve) => {
      this.#questions.push({ key, resolve });
      void this.#work();
    });
  }

  /** Applies an action now. Scheduled actions of the script remain. */
  act(deed: Deed): void {
    // At the next whole second, plus time for all listeners to be called.
    const atMs = Math.ceil(this.#wantedMs / 1_000) * 1_000;
    const script = withAction(this.#script, { ...deed, atMs } as Action);
    // Rejects a world that a link could not hold.
    if (script.actions.length > BOUNDS.actions || clientsAdded(script.actions) > BOUNDS.clients) return;
    this.#script = script;
    this.#go(atMs + SETTLE_MS, this.#isOutdated);
  }

  /** Removes an action from the script. */
  undo(action: Action): void {
    this.#change(withoutAction(this.#script, action));
  }

  /** Sets the gateway's bounds, from the start of the world. */
  setBounds(bounds: Partial<Pick<Script, "ttlMs" | "cap">>): void {
    this.#change({ ...this.#script, ...bounds });
  }

  /** Replaces the script without a change of the moment. */
  #change(script: Script): void {
    this.#script = script;
    this.#go(this.#wantedMs, true);
  }

  #go(ms: number, isOutdated: boolean): void {
    this.#wantedMs = ms;
    this.#isOutdated = isOutdated;
    void this.#work();
  }

  /** Advances or rebuilds the world until the target is reached. Targets set meanwhile are reached next. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      do {
        if (this.#isOutdated || !this.#world) await this.#build();
        await this.#advance();
        await this.#ask();
      } while (this.#isOutdated || !this.#world || this.#world.nowMs < this.#wantedMs || this.#questions.length > 0);
      this.#problem = "";
    } catch (error) {
      // The simulator is a separate file, whose download may have failed.
      this.#rate = 0;
      for (const { resolve } of this.#questions.splice(0)) resolve(undefined);
      this.#problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.#isWorking = false;
    }
    this.#publish();
  }

  async #build(): Promise<void> {
    this.#isOutdated = false;
    this.#world?.free();
    this.#world = undefined;
    this.#done = 0;
    this.#world = await World.create(this.#script);
  }

  /** Requests the gateway's findings, and the pending explanations. */
  async #ask(): Promise<void> {
    const world = this.#world;
    if (!world || this.#isOutdated) return;
    const now = performance.now();
    if (this.#rate === 0 || now - this.#foundMs >= FIND_AFTER_MS) {
      this.#foundMs = now;
      await world.find();
    }
    for (const { key, resolve } of this.#questions.splice(0)) resolve(await world.explain(key));
  }

  async #advance(): Promise<void> {
    const world = this.#world;
    const { actions } = this.#script;
    while (world && !this.#isOutdated) {
      const action = actions[this.#done];
      if (!action || action.atMs > this.#wantedMs) break;
      await world.advanceTo(action.atMs);
      world.act(action);
      this.#done += 1;
    }
    if (!this.#isOutdated) await world?.advanceTo(this.#wantedMs);
  }

  #tick(): void {
    if (this.#rate === 0) return;
    requestAnimationFrame(() => this.#tick());
    const now = performance.now();
    const passedMs = Math.min(now - this.#drawnMs, LONGEST_FRAME_MS) * this.#rate;
    if (this.#isWorking) return;
    this.#drawnMs = now;
    const most = Math.min(this.#untilMs, BOUNDS.atMs.most);
    const wanted = Math.min(this.#wantedMs + passedMs, most);
    if (wanted >= most) this.#rate = 0;
    this.#go(wanted, this.#isOutdated);
  }

  #publish(): void {
    const world = this.#world;
    const script = this.#script;
    const problem = this.#problem;
    if (!world) return this.frame.set({ ...this.frame.value, script, problem, rate: this.#rate });
    const before = this.frame.value;
    const findings = world.findings;
    this.#widen(Math.max(this.#wantedMs, ...script.actions.map(({ atMs }) => atMs)));
    this.frame.set({
      script,
      problem,
      nowMs: this.#wantedMs,
      horizonMs: this.#horizonMs,
      rate: this.#rate,
      rows: world.rows,
      findings: JSON.stringify(findings) === JSON.stringify(before.findings) ? before.findings : findings,
      leftOut: world.leftOut,
      clients: world.clients,
      past: [...world.steps],
      future: script.actions.slice(this.#done).map((action) => ({ atMs: action.atMs, text: this.#foretell(action), action })),
    });
  }

  /** Extends the slider; it never shrinks while the user drags it. */
  #widen(ms: number): void {
    const wanted = Math.ceil((ms + HORIZON_STEP_MS / 2) / HORIZON_STEP_MS) * HORIZON_STEP_MS;
    this.#horizonMs = Math.max(this.#horizonMs, wanted);
  }

  #foretell(action: Action): string {
    const maker = this.#script.actions.find((other) => other.op === "add" && other.id === action.id);
    return sentence(action, maker?.op === "add" ? { host: hostOf(maker.kind, maker.id) } : undefined) ?? action.op;
  }
}
