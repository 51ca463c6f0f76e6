/** Timers in the order of their time, and of their making where the time is the same. */

/** A heap of timers. */
export interface TimerHeap {
  add(at: number, fire: () => void): void;
  /** The time of the first timer. */
  next(): number | undefined;
  /** Takes the first timer out and fires it. */
  fire(): void;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** An empty heap. */
export function timerHeap(): TimerHeap {
  const heap: Timer[] = [];
  let order = 0;

  const isBefore = (one: number, other: number): boolean => {
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return first !== undefined;
    return first.at < second.at || (first.at === second.at && first.order < second.order);
  };
  const swap = (one: number, other: number): void => {
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    heap[one] = second;
    heap[other] = first;
  };

  return {
    add(at, fire) {
      let index = heap.push({ at, order: order++, fire }) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!isBefore(index, parent)) return;
        swap(index, parent);
        index = parent;
      }
    },
    next: () => heap[0]?.at,
    fire() {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined) return;
      if (heap.length > 0) {
        heap[0] = last;
        for (let index = 0; ; ) {
          const left = 2 * index + 1;
          const child = isBefore(left + 1, left) ? left + 1 : left;
          if (child >= heap.length || !isBefore(child, index)) break;
          swap(index, child);
          index = child;
        }
      }
      first.fire();
    },
  };
}
