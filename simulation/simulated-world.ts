/** What a simulated run hands to the checks that judge it. */
import type { SmsService } from "../functions/contract/environment.ts";
import type { MetricName } from "../functions/core/observability/telemetry.ts";
import type { ApplicationMessage } from "./application.ts";
import type { SimulationParts } from "./functions.ts";
import type { Plan } from "./plan.ts";
import type { StreamModel } from "./stream-model.ts";

/** Everything in one world. */
export interface SimulatedWorld extends SimulationParts {
  readonly plan: Plan;
  readonly streams: readonly StreamModel[];
  readonly counts: ReadonlyMap<MetricName, number>;
  /** Events that the services emitted, as text, each for every stream that has events of its service. */
  readonly emitted: readonly { readonly data: string; readonly service: SmsService }[];
  readonly messages: ApplicationMessage[];
}
