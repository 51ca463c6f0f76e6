/** What the stacks and the docs say about the statuses of delivery events. */
export {
  allowedRetryableStatuses,
  defaultRetryableStatuses,
  type EventFormat,
  eventStatuses,
  type StatusFacts,
  statusClasses,
} from "../core/events/statuses.ts";
