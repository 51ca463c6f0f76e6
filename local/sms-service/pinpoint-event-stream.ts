/** The event stream of a Pinpoint project: where it is set, read and deleted. */
import { ServiceError } from "../rest-json.ts";
import { readWriteEventStream } from "./pinpoint-api.ts";

/** `EventStream` in Pinpoint's model. */
export interface EventStream {
  readonly ApplicationId: string;
  readonly DestinationStreamArn: string;
  readonly RoleArn: string;
  readonly LastModifiedDate: string;
}

/** The event stream of one project; there is none at first. */
export class EventStreamSetting {
  readonly #applicationId: string;
  readonly #now: () => number;
  #current: EventStream | undefined;

  /** @param now epoch milliseconds */
  constructor(applicationId: string, now: () => number) {
    this.#applicationId = applicationId;
    this.#now = now;
  }

  /** Where events go; undefined = nowhere, they are dropped, as Pinpoint does. */
  get destinationStreamArn(): string | undefined {
    return this.#current?.DestinationStreamArn;
  }

  /** Replaces the event stream. */
  put(input: object): EventStream {
    const { DestinationStreamArn, RoleArn } = readWriteEventStream(input);
    this.#current = {
      ApplicationId: this.#applicationId,
      DestinationStreamArn,
      RoleArn,
      LastModifiedDate: new Date(this.#now()).toISOString(),
    };
    return this.#current;
  }

  /** @throws ServiceError `NotFoundException` where there is none */
  get(): EventStream {
    if (this.#current === undefined) throw new ServiceError(404, "NotFoundException", "Resource not found.");
    return this.#current;
  }

  /** Deletes the event stream; throws as {@link get}. */
  delete(): EventStream {
    const deleted = this.get();
    this.#current = undefined;
    return deleted;
  }
}
