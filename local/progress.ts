/** Shows how far a run is: a bar on a terminal, a line now and then elsewhere. Always on stderr. */
import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "./run.ts";

/** A display of progress. */
export interface ProgressDisplay {
  show(progress: Progress): void;
  /** Prints a line without tearing the bar. */
  note(line: string): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

/** A display for a run of `messages` messages, fit for the stream: live on a terminal, plain elsewhere. */
export function progressDisplay(messages: number, stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? liveBar(messages, stream) : plainLines(messages, stream);
}

function liveBar(messages: number, stream: NodeJS.WriteStream): ProgressDisplay {
  const bar = new SingleBar(
    {
      stream,
      format: "{stage} {bar} {value}/{total} over | {sends} SMS | {events} events | {duration_formatted}",
      // The whole line fits a terminal of 80 columns.
      barsize: 20,
      hideCursor: true,
      gracefulExit: false,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  );
  bar.start(messages, 0, { stage: stages.starting, sends: 0, events: 0 });
  return {
    show({ stage, over, sends, events }) {
      bar.update(over, { stage: stages[stage], sends, events });
    },
    note(line) {
      stream.write(`\r\u001b[K${line}\n`);
    },
    end() {
      bar.stop();
    },
  };
}

const stages: Readonly<Record<Progress["stage"], string>> = {
  starting: "Starting",
  running: "Running ",
  stopping: "Stopping",
};

/** Fewest milliseconds between two lines of the same stage. */
const linePause = 5_000;

function plainLines(messages: number, stream: NodeJS.WriteStream): ProgressDisplay {
  let last = { stage: "", at: 0 };
  return {
    show({ stage, over, sends, events }) {
      const at = performance.now();
      if (stage === last.stage && at - last.at < linePause) return;
      last = { stage, at };
      const counts =
        stage === "starting" ? "" : `: ${over}/${messages} messages over, ${sends} SMS, ${events} events`;
      stream.write(`${stages[stage].trim()}${counts}\n`);
    },
    note(line) {
      stream.write(`${line}\n`);
    },
    end() {},
  };
}
