/**
 * Virtual time and the scheduler of a simulated run. Workers are the real code; whenever one awaits something
 * of the outside, it stands still until the scheduler lets it go on: in any order, after a fault, or never.
 */
import type { Clock } from "../functions/core/clock.ts";
import type { Tape } from "./tape.ts";

/** What can be done to a call. Each kind is counted in {@link VirtualWorld.injected}. */
export type Fault =
  | "kill-before"
  | "kill-after"
  | "throttle"
  | "lost-answer"
  | "repeated-by-the-sdk"
  | "slow"
  | "duplicate-delivery"
  | "late-delivery"
  | "reordered";

/** A worker: one invocation of a function, or the application. */
export interface Worker {
  readonly name: string;
  isDead: boolean;
  /** Tells whoever started the worker that it is gone. */
  readonly died: () => void;
}

/** One call of a worker to the outside that waits for its turn. */
interface PendingCall {
  readonly worker: Worker;
  readonly label: string;
  readonly faults: readonly Fault[];
  readonly effect: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly errors: CallErrors;
}

/** The errors that a model throws for the faults that show. */
export interface CallErrors {
  readonly throttled: () => unknown;
  readonly lost: () => unknown;
}

/** How often a call meets each fault, in percent, while faults are on. */
const faultPercent: Readonly<Partial<Record<Fault, number>>> = {
  "kill-before": 2,
  "kill-after": 3,
  throttle: 3,
  "lost-answer": 3,
  "repeated-by-the-sdk": 3,
  slow: 8,
};

/** The world of one run. */
export class VirtualWorld {
  /** Epoch seconds. */
  now: number;
  /** Turned off for the end of a run: then everything must come to rest. */
  areFaultsOn = true;
  /** What happened, a line a step, where it is asked for. */
  readonly trace: string[] = [];
  readonly injected = new Map<Fault, number>();
  steps = 0;
  readonly tape: Tape;
  readonly #keepsTrace: boolean;
  #pending: PendingCall[] = [];
  #timers: { at: number; readonly order: number; readonly fire: () => void }[] = [];
  #order = 0;

  constructor(tape: Tape, start: number, keepsTrace: boolean) {
    this.tape = tape;
    this.now = start;
    this.#keepsTrace = keepsTrace;
  }

  /** A number that was not given out before. */
  newId(): number {
    return this.#order++;
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    if (this.#keepsTrace) this.trace.push(`${(this.now % 1_000_000).toFixed(2)}  ${line}`);
  }

  /** Counts a fault and says whether it happens. */
  strikes(fault: Fault, percent: number): boolean {
    if (!this.areFaultsOn || !this.tape.happens(percent)) return false;
    this.count(fault);
    return true;
  }

  /** Counts a fault. */
  count(fault: Fault): void {
    this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1);
  }

  /** Runs something at a time. */
  at(time: number, fire: () => void): void {
    this.#timers.push({ at: Math.max(time, this.now), order: this.#order++, fire });
  }

  /** The clock of a worker: a dead worker never wakes up. */
  clockOf(worker: Worker): Clock {
    return {
      now: () => this.now,
      sleep: (seconds, signal) =>
        new Promise((resolve) => {
          const wake = () => {
            if (!worker.isDead) resolve();
          };
          signal?.addEventListener("abort", wake);
          this.at(this.now + seconds, wake);
        }),
    };
  }

  /** Starts a worker; it is killed when its time-out is over. `ended` is called unless it dies. */
  start<T>(
    name: string,
    timeoutSeconds: number,
    work: (worker: Worker) => Promise<T>,
    ended: (result: { readonly value: T } | { readonly error: unknown }) => void,
    died: () => void,
  ): void {
    const worker: Worker = { name, isDead: false, died };
    let isOver = false;
    const end = (result: { readonly value: T } | { readonly error: unknown }) => {
      if (worker.isDead) return;
      isOver = true;
      worker.isDead = true;
      ended(result);
    };
    this.note(`${name}: starts`);
    work(worker).then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    );
    this.at(this.now + timeoutSeconds, () => {
      if (!isOver) this.kill(worker, "time-out");
    });
  }

  /** Kills a worker: nothing that it waits for ever comes. */
  kill(worker: Worker, why: string): void {
    if (worker.isDead) return;
    worker.isDead = true;
    this.note(`${worker.name}: DIES (${why})`);
    this.#pending = this.#pending.filter((call) => call.worker !== worker);
    worker.died();
  }

  /** A call to the outside: takes effect when, and if, the scheduler says so. */
  call<T>(
    worker: Worker,
    label: string,
    effect: () => T,
    errors: CallErrors,
    faults: readonly Fault[] = ["throttle", "lost-answer", "repeated-by-the-sdk"],
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (worker.isDead) return;
      this.#pending.push({
        worker,
        label,
        faults,
        effect,
        errors,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
  }

  /**
   * Lets the world go on until nothing is left to happen, or until a time.
   *
   * @throws Error if it goes on for ever
   */
  async run(until: number, mostSteps = 20_000): Promise<void> {
    for (;;) {
      // Every reaction of the workers to the last step, up to their next call.
      await new Promise(setImmediate);
      if (this.steps++ > mostSteps) throw new Error("The world does not come to rest.");
      // Calls and timers that are due compete; otherwise time goes on to the next timer.
      if (this.#pending.length > 0) {
        this.#step();
        continue;
      }
      const next = this.#nextTimer();
      if (next === undefined || next.at > until) {
        this.now = Math.max(this.now, Math.min(until, next?.at ?? this.now));
        return;
      }
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.fire();
    }
  }

  #nextTimer() {
    let first = this.#timers[0];
    for (const timer of this.#timers) {
      if (
        first === undefined ||
        timer.at < first.at ||
        (timer.at === first.at && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }

  #step(): void {
    const [call] = this.#pending.splice(this.tape.choose(this.#pending.length), 1);
    if (call === undefined) return;
    const { worker, label } = call;
    // A call takes up to 50 ms; timers that fall into that time come after it.
    this.now += this.tape.choose(50) / 1000;
    const fault = this.#faultFor(call);
    this.note(`${worker.name}: ${label}${fault === undefined ? "" : `  <- ${fault}`}`);
    switch (fault) {
      case "kill-before":
        this.kill(worker, "before the call");
        return;
      case "kill-after":
        attempt(call.effect);
        this.kill(worker, "after the call");
        return;
      case "throttle":
        call.reject(call.errors.throttled());
        return;
      case "lost-answer":
        attempt(call.effect);
        call.reject(call.errors.lost());
        return;
      case "repeated-by-the-sdk":
        // The answer was lost, the SDK made the call once more, and hands out the second answer.
        attempt(call.effect);
        break;
      case "slow":
        this.now += 0.5 + this.tape.choose(60) / 2;
        break;
      default:
        break;
    }
    const result = attempt(call.effect);
    if ("error" in result) call.reject(result.error);
    else call.resolve(result.value);
  }

  #faultFor(call: PendingCall): Fault | undefined {
    for (const fault of ["kill-before", "kill-after", "slow", ...call.faults] as const) {
      if (this.strikes(fault, faultPercent[fault] ?? 0)) return fault;
    }
    return undefined;
  }
}

function attempt(effect: () => unknown): { readonly value: unknown } | { readonly error: unknown } {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}
