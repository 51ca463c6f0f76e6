/** What the gate promises, whatever goes wrong; each violation is a sentence. */
import type { Plan } from "./plan.ts";
import type { SimulatedWorld } from "./simulated-world.ts";
import type { SmsCall } from "./sms-service-model.ts";
import type { Outage } from "./virtual-world.ts";

/** The promises of the gate that do not hold in a world that has come to rest. */
export function gateViolations({ plan, service }: SimulatedWorld): string[] {
  const byIdentity = Map.groupBy(service.calls, ({ identity }) => identity);
  return [
    ...[...byIdentity].flatMap(([identity, calls]) => [
      ...ceiling(calls, plan.inputs.sendRates[identity] ?? plan.inputs.maxSendsPerSecond),
      ...plan.outages.flatMap((outage) => callsInOutage(calls, outage, plan)),
    ]),
    ...sendsInPause(service.calls, plan),
  ];
}

/**
 * In every half-open second no more parts leave than the ceiling allows, or one message alone, by whatever workers,
 * first sends included; below one part a second, in the seconds that one part takes. Over longer times, no more than the
 * ceiling has room for, and one message. (Two workers' messages may leave in another order than they were planned in, and
 * the one may be longer.) By the world's own time, in which a call leaves when it
 * is made. There is no allowance for faults: what would leave late must not leave at all. (In this world nothing can
 * stop a worker between its last look at the clock and its call.)
 */
function ceiling(calls: readonly SmsCall[], rate: number): string[] {
  const [most, unit] = rate < 1 ? [1, 1 / rate] : [Math.floor(rate), 1];
  for (const [first, { at }] of calls.entries()) {
    let [all, largest] = [0, 0];
    for (const [index, call] of calls.slice(first).entries()) {
      const seconds = call.at - at;
      // A double holds epoch seconds to a quarter of a microsecond.
      const isWithin = seconds < unit - 1e-6;
      [all, largest] = [all + call.parts, Math.max(largest, call.parts)];
      const parts = isWithin ? all : all - largest;
      if (index > 0 && parts > (isWithin ? most : (most / unit) * (seconds + 1e-6))) {
        const which = describe(calls.slice(first, first + index + 1));
        return [`${parts} parts left in ${seconds.toFixed(3)} s, by ${rate} a second: ${which}`];
      }
    }
  }
  return [];
}

function describe(calls: readonly SmsCall[]): string {
  return calls.map(({ id, attempt, worker }) => `${id} attempt ${attempt} by ${worker.name}`).join(", ");
}

/** So long after the breaker has closed it lets a probe through, in seconds; then one every five minutes. */
const firstProbes = [5, 15, 45, 135, 405];

/** After so many failed calls in a row the breaker closes. */
const failuresToClose = 3;

/** What the workers have under way until all know of it, in seconds. */
const spreadingSeconds = 30;

/** Probes whose answer never reaches the gate, because a worker dies or its write fails, and the like. */
const mostLostProbes = 6;

/** While the service is out of reach, only probes call it once that is known. */
function callsInOutage(all: readonly SmsCall[], outage: Outage, { outages }: Plan): string[] {
  // Too many sends say nothing against the service.
  if (
    outage.service !== "sms" ||
    outages.some(({ service, kind }) => service === "sms" && kind === "throttles")
  ) {
    return [];
  }
  const calls = all.filter(({ at }) => at > outage.from && at < outage.until);
  const known = (calls[failuresToClose - 1]?.at ?? outage.until) + spreadingSeconds;
  const late = calls.filter(({ at }) => at > known);
  const seconds = outage.until - known;
  const probes = firstProbes.filter((after) => after <= seconds).length + Math.max(0, seconds - 405) / 300;
  return late.length > probes + mostLostProbes
    ? [`the service was called ${late.length} times in ${seconds.toFixed(0)} s of an outage that was known`]
    : [];
}

/** Within so many seconds every worker knows of a pause. */
const pauseSeconds = 5;

/** While all gates are paused, nothing is sent. */
function sendsInPause(calls: readonly SmsCall[], { pause }: Plan): string[] {
  if (pause === undefined) return [];
  return calls
    .filter(({ at }) => at > pause.from + pauseSeconds && at < pause.until)
    .map(({ id, at }) => `${id} was sent ${(at - pause.from).toFixed(1)} s after all gates were paused`);
}
