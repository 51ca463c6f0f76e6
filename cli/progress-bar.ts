/** How far a command is that takes its time. */
import { Presets, SingleBar } from "cli-progress";

/**
 * A bar on stderr where somebody watches and there is something to wait for, else nothing.
 *
 * @param format as cli-progress has it; `{found}` begins at 0
 */
export function progressBar(total: number, format: string): SingleBar | undefined {
  if (!process.stderr.isTTY || total === 0) return undefined;
  const bar = new SingleBar(
    { stream: process.stderr, format, barsize: 40, gracefulExit: false },
    Presets.shades_classic,
  );
  bar.start(total, 0, { found: 0 });
  return bar;
}
