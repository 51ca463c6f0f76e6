/** Firehose's buffering hints: what comes is held until it is large enough, or old enough. */

/** When a buffer lets go, and how. */
export interface BufferOptions<Item> {
  /** Most bytes that are held; an item that does not fit any more begins the next round. */
  readonly bytes: number;
  /** Seconds after the first item of a round. */
  readonly intervalSeconds: number;
  bytesOf(item: Item): number;
  /** Takes a round; never empty, must not reject. */
  flush(items: Item[]): void;
  sleep(seconds: number): Promise<void>;
}

/** Holds items until their size or their age says that it is time. */
export class SizeAndTimeBuffer<Item> {
  readonly #options: BufferOptions<Item>;
  #items: Item[] = [];
  #bytes = 0;
  #round = 0;

  constructor(options: BufferOptions<Item>) {
    this.#options = options;
  }

  /** Takes an item. */
  add(item: Item): void {
    const { bytes, intervalSeconds, bytesOf, sleep } = this.#options;
    const size = bytesOf(item);
    if (this.#bytes + size > bytes) this.flush();
    this.#items.push(item);
    this.#bytes += size;
    if (this.#bytes >= bytes) {
      this.flush();
    } else if (this.#items.length === 1) {
      const round = this.#round;
      void sleep(intervalSeconds).then(() => {
        if (round === this.#round) this.flush();
      });
    }
  }

  /** Lets go of what is held now. */
  flush(): void {
    this.#round += 1;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    if (items.length > 0) this.#options.flush(items);
  }
}
