/**
 * Virtual time and the scheduler of a simulated run. Workers are the real code; whenever one awaits something
 * of the outside, it stands still until the scheduler lets it go on: in any order, after a fault, or never.
 */
import type { Clock } from "../functions/core/clock.ts";
import { type VirtualClock, virtualClock } from "../local/virtual-clock.ts";
import type { Choices } from "./choices.ts";

/** What can be done to a call, a delivery or a worker. Each kind is counted in {@link VirtualWorld.injected}. */
export type Fault =
  | "kill-before"
  | "kill-after"
  | "freeze"
  | "throttle"
  | "lost-answer"
  | "repeated-by-the-sdk"
  | "slow"
  | "outage"
  | "clock-skew"
  | "stale-read"
  | "duplicate-delivery"
  | "late-delivery"
  | "re-invocation";

/** What workers call. */
export type Service = "table" | "gates" | "sqs" | "scheduler" | "sms" | "s3";

/**
 * What a service does while it is out of order. `refuses`: connections. `fails`: by HTTP 500, perhaps after it did
 * what was asked. `is-silent`: the same, without an answer. `throttles`: every call.
 */
export const outageKinds = ["refuses", "fails", "is-silent", "throttles"] as const;

/** A time in which a service is out of order; seconds of the world. */
export interface Outage {
  readonly service: Service;
  readonly kind: (typeof outageKinds)[number];
  readonly from: number;
  readonly until: number;
}

/** A worker: one invocation of a function. */
export interface Worker {
  /** Unlike that of any other worker. */
  readonly name: string;
  /** How far its clock is ahead, in seconds: as far as that of its execution environment. */
  clockOffset: number;
  isDead: boolean;
  /** It stands still until then, whatever happens, and goes on as if nothing had been. */
  frozenUntil: number;
  /** When something outside answered it last about each message. */
  readonly answeredAt: Map<string, number>;
  /** Tells whoever started the worker that it is gone. */
  readonly died: () => void;
}

/** A call of a worker to the outside. */
export interface Call {
  readonly service: Service;
  readonly label: string;
  /** The message that the call is about. */
  readonly subject?: string;
  /** The errors that the client throws, by what they tell. */
  readonly errors: CallErrors;
  /** How long the client waits for an answer, its own retries included, in seconds. */
  readonly patienceSeconds: number;
  /** Whether the client repeats the call by itself when an answer is lost. */
  readonly isRepeated: boolean;
  /** One of many alike, each of which meets a fault less often. @default false */
  readonly isOneOfMany?: boolean;
}

/** The errors that a client throws for the faults that show. */
export interface CallErrors {
  readonly throttled: () => unknown;
  readonly failed: () => unknown;
  readonly timedOut: () => unknown;
}

/** A connection that was refused, as Node tells it. */
export function connectionRefused(): Error {
  return Object.assign(new Error("simulated"), { name: "Error", code: "ECONNREFUSED" });
}

interface PendingCall extends Call {
  readonly worker: Worker;
  readonly effect: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** How often a call meets each fault while faults are on, in thousandths. */
const faultShares: readonly (readonly [Fault, number])[] = [
  ["kill-before", 20],
  ["kill-after", 30],
  ["freeze", 6],
  ["throttle", 30],
  ["lost-answer", 30],
  ["repeated-by-the-sdk", 30],
  ["slow", 60],
];

/** From then on an outage is the only thing that goes wrong. */
const longOutageSeconds = 300;

/** How long a call takes at most where nothing is wrong, beside others that are under way. */
const longestCallMilliseconds: Readonly<Record<Service, number>> = {
  table: 12,
  gates: 12,
  sqs: 50,
  scheduler: 50,
  sms: 50,
  s3: 50,
};

/** How late a timer of a worker fires at most, in seconds. */
const longestTimerDelay = 0.02;

/** What a world is like. */
export interface WorldOptions {
  readonly startsAt: number;
  readonly keepsTrace: boolean;
  /** Whether anything goes wrong at all. */
  readonly hasFaults: boolean;
  readonly outages: readonly Outage[];
  /** Furthest that a worker's clock goes wrong, in seconds. */
  readonly worstSkewSeconds: number;
}

/** What came of a worker that did not die. */
export type WorkResult<T> = { readonly value: T } | { readonly error: unknown };

/** A worker that is to start. */
export interface WorkerStart<T> {
  readonly name: string;
  readonly timeoutSeconds: number;
  work(worker: Worker): Promise<T>;
  /** Is called unless it dies, or was given up. */
  ended(result: WorkResult<T>): void;
  died(): void;
}

/** The world of one run. */
export class VirtualWorld {
  /** Turned off for the end of a run: then everything must come to rest. */
  areFaultsOn: boolean;
  /** What happened, a line a step, where it is asked for. */
  readonly trace: string[] = [];
  readonly injected = new Map<Fault, number>();
  steps = 0;
  readonly choices: Choices;
  readonly #keepsTrace: boolean;
  readonly #outages: readonly Outage[];
  readonly #worstSkewSeconds: number;
  readonly #clock: VirtualClock;
  readonly #pending: PendingCall[] = [];
  #ids = 0;
  #stopped: string | undefined;

  constructor(choices: Choices, options: WorldOptions) {
    this.choices = choices;
    this.#clock = virtualClock(options.startsAt);
    this.#keepsTrace = options.keepsTrace;
    this.areFaultsOn = options.hasFaults;
    this.#outages = options.outages;
    this.#worstSkewSeconds = options.worstSkewSeconds;
  }

  /** Epoch seconds. */
  get now(): number {
    return this.#clock.now();
  }

  /** Ends the run: what was found shows itself again and again, and costs time. */
  stop(why: string): void {
    this.#stopped ??= why;
  }

  /** A number that was not given out before. */
  newId(): number {
    return this.#ids++;
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    if (this.#keepsTrace) this.trace.push(`${(this.now % 1_000_000).toFixed(2)}  ${line}`);
  }

  /** Counts a fault and says whether it happens. */
  strikes(fault: Fault, percent: number): boolean {
    if (!this.#hasFaultsNow() || !this.choices.happens(percent)) return false;
    this.count(fault);
    return true;
  }

  /**
   * Whether single calls and workers meet faults now. Not far into an outage: at the rate of faults here, the copies
   * of what is handed over again and again would become more and more, which costs time and shows nothing.
   */
  #hasFaultsNow(): boolean {
    return (
      this.areFaultsOn &&
      !this.#outages.some(({ from, until }) => from + longOutageSeconds < this.now && this.now < until)
    );
  }

  /** Counts a fault. */
  count(fault: Fault): void {
    this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1);
  }

  /** The outage of a service, if it has one now. */
  outageOf(service: Service): Outage | undefined {
    return this.#outages.find(
      (outage) => outage.service === service && outage.from <= this.now && this.now < outage.until,
    );
  }

  /** Runs something at a time. */
  at(time: number, fire: () => void): void {
    this.#clock.at(time, fire);
  }

  /** The clock of a worker. A dead worker never wakes up, a frozen one late. */
  clockOf(worker: Worker): Clock {
    return {
      now: () => this.now + worker.clockOffset,
      sleep: (seconds, signal) =>
        new Promise((resolve) => {
          const wake = () => {
            if (worker.isDead) return;
            if (worker.frozenUntil > this.now) this.at(worker.frozenUntil, wake);
            else resolve();
          };
          signal?.addEventListener("abort", () => resolve());
          // No timer of a machine is exact.
          const late = seconds === 0 ? 0 : this.choices.below(longestTimerDelay * 1_000) / 1_000;
          this.at(this.now + seconds + late, wake);
        }),
    };
  }

  /**
   * Starts a worker; it is killed when its time-out is over.
   *
   * A worker that is frozen then is given up, and goes on later without anybody knowing.
   */
  start<T>({ name, timeoutSeconds, work, ended, died }: WorkerStart<T>): void {
    let isGivenUp = false;
    const worker: Worker = {
      name: `${name}#${this.newId()}`,
      clockOffset: 0,
      isDead: false,
      frozenUntil: 0,
      answeredAt: new Map(),
      died: () => {
        if (!isGivenUp) died();
        isGivenUp = true;
      },
    };
    const end = (result: WorkResult<T>) => {
      if (worker.isDead) return;
      worker.isDead = true;
      this.note(`${worker.name}: ends`);
      if (!isGivenUp) ended(result);
      isGivenUp = true;
    };
    this.note(`${worker.name}: starts`);
    work(worker).then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    );
    this.at(this.now + timeoutSeconds, () => {
      if (worker.isDead) return;
      if (worker.frozenUntil > this.now) worker.died();
      else this.kill(worker, "time-out");
    });
  }

  /** How far the clock of a new execution environment is ahead, in seconds. */
  newClockOffset(): number {
    if (this.#worstSkewSeconds === 0 || !this.areFaultsOn || !this.choices.happens(50)) return 0;
    this.count("clock-skew");
    return this.choices.below(2 * this.#worstSkewSeconds + 1) - this.#worstSkewSeconds;
  }

  /** Kills a worker: nothing that it waits for ever comes. */
  kill(worker: Worker, why: string): void {
    if (worker.isDead) return;
    worker.isDead = true;
    this.note(`${worker.name}: DIES (${why})`);
    this.#takePendingOf(worker);
    worker.died();
  }

  #takePendingOf(worker: Worker): PendingCall[] {
    const taken = this.#pending.filter((call) => call.worker === worker);
    const others = this.#pending.filter((call) => call.worker !== worker);
    this.#pending.splice(0, this.#pending.length, ...others);
    return taken;
  }

  /** A call to the outside: takes effect when, and if, the scheduler says so. */
  call<T>(worker: Worker, call: Call, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (worker.isDead) return;
      this.#pending.push({ ...call, worker, effect, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /**
   * Lets the world go on until nothing is left to happen, or until a time.
   *
   * @throws Error if it goes on for ever, or is stopped
   */
  async run(until: number, mostSteps = 100_000): Promise<void> {
    for (;;) {
      // Every reaction of the workers to the last step, up to their next call.
      await new Promise(setImmediate);
      if (this.#stopped !== undefined) throw new Error(this.#stopped);
      if (this.steps++ > mostSteps) throw new Error("the world does not come to rest");
      const next = this.#clock.next();
      if (this.#pending.length > 0 && !(next !== undefined && next <= this.now)) this.#step();
      else if (!this.#clock.step(until)) return;
    }
  }

  #step(): void {
    const place = this.choices.below(this.#pending.length);
    const call = this.#pending[place];
    if (call === undefined) return;
    const seconds = this.choices.below(longestCallMilliseconds[call.service]) / 1000 / this.#pending.length;
    if ((this.#clock.next() ?? Number.POSITIVE_INFINITY) <= this.now + seconds) {
      this.#clock.step();
      return;
    }
    this.#clock.advance(seconds);
    this.#pending.splice(place, 1);
    const outage = this.outageOf(call.service);
    if (outage !== undefined) {
      this.count("outage");
      this.#trace(call, `${call.service} ${outage.kind}`);
      this.#meetOutage(call, outage);
      return;
    }
    const fault = this.#faultFor(call);
    this.#trace(call, fault);
    if (fault === undefined) this.#answer(call, attempt(call.effect));
    else this.#meetFault(call, fault);
  }

  #trace({ worker, label }: PendingCall, fault: string | undefined): void {
    this.note(`${worker.name}: ${label}${fault === undefined ? "" : `  <- ${fault}`}`);
  }

  /** While a service fails or is silent, it may all the same have done what it was asked. */
  #meetOutage(call: PendingCall, { kind }: Outage): void {
    const { errors, patienceSeconds } = call;
    if ((kind === "fails" || kind === "is-silent") && this.choices.happens(25)) attempt(call.effect);
    const [error, after] =
      kind === "refuses"
        ? [connectionRefused(), 0.1]
        : kind === "throttles"
          ? [errors.throttled(), 0.1]
          : kind === "fails"
            ? [errors.failed(), 0.1]
            : [errors.timedOut(), patienceSeconds];
    this.at(this.now + after, () => this.#answer(call, { error }));
  }

  #meetFault(call: PendingCall, fault: Fault): void {
    const { worker, errors } = call;
    switch (fault) {
      case "kill-before":
        this.kill(worker, "before the call");
        return;
      case "kill-after":
        attempt(call.effect);
        this.kill(worker, "after the call");
        return;
      case "freeze":
        this.#freeze(call);
        return;
      case "throttle":
        this.#answer(call, { error: errors.throttled() });
        return;
      case "lost-answer": {
        attempt(call.effect);
        const error = this.choices.below(2) === 0 ? errors.timedOut() : errors.failed();
        this.at(this.now + this.choices.below(call.patienceSeconds), () => this.#answer(call, { error }));
        return;
      }
      case "repeated-by-the-sdk":
        // The answer was lost, the SDK made the call once more, and hands out the second answer.
        attempt(call.effect);
        this.#answer(call, attempt(call.effect));
        return;
      default: {
        const seconds = this.choices.below(2 * call.patienceSeconds) / 2;
        const result = attempt(call.effect);
        this.at(this.now + seconds, () => this.#answer(call, result));
      }
    }
  }

  /** The worker stands still, with the answer on its way or its request not yet out, and then goes on. */
  #freeze(call: PendingCall): void {
    const { worker } = call;
    worker.frozenUntil = this.now + 20 + this.choices.below(300);
    this.note(`${worker.name}: FREEZES for ${(worker.frozenUntil - this.now).toFixed(0)} s`);
    const rest = this.#takePendingOf(worker);
    // A call of the SMS API has left when it is made; what is frozen is its worker.
    if (call.service !== "sms" && this.choices.below(2) === 1) rest.push(call);
    else this.#answer(call, attempt(call.effect));
    this.at(worker.frozenUntil, () => {
      if (!worker.isDead) this.#pending.push(...rest);
    });
  }

  #answer(call: PendingCall, outcome: Outcome): void {
    const { worker } = call;
    if (worker.isDead) return;
    if (worker.frozenUntil > this.now) {
      this.at(worker.frozenUntil, () => this.#answer(call, outcome));
      return;
    }
    if (call.subject !== undefined) worker.answeredAt.set(call.subject, this.now);
    if ("error" in outcome) call.reject(outcome.error);
    else call.resolve(outcome.value);
  }

  #faultFor(call: PendingCall): Fault | undefined {
    if (!this.#hasFaultsNow()) return undefined;
    if (call.isOneOfMany === true && this.choices.below(5) !== 4) return undefined;
    // One decision a call; high numbers are the harmful ones.
    let threshold = 1_000;
    const drawn = this.choices.below(1_000);
    for (const [fault, share] of faultShares) {
      threshold -= share;
      if (drawn < threshold) continue;
      if (fault === "repeated-by-the-sdk" && !call.isRepeated) return undefined;
      this.count(fault);
      return fault;
    }
    return undefined;
  }
}

function attempt(effect: () => unknown): Outcome {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}

/** The worker whose invocation runs in an execution environment. */
export type CurrentWorker = () => Worker;
