/** Commands as they stand in a page of the documentation, read by a real shell. */
import { execFileSync } from "node:child_process";

/** A command of the AWS CLI in a page. */
export interface DocumentedCommand {
  /** What the shell hands to `aws`. */
  readonly words: readonly string[];
  /** The value of an option, `""` where the command lacks it. */
  option(name: string): string;
  /** What it reads from its standard input, `""` where it reads nothing. */
  readonly input: string;
}

/**
 * The commands of a page that begin with `aws <service> <operation>`, in its blocks of shell; nothing is called.
 *
 * @throws Error if the page has none
 */
export function awsCommandsOf(page: string, operation: string): DocumentedCommand[] {
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block);
  const commands = blocks.filter((block) => block.trimStart().startsWith(`aws ${operation} `));
  if (commands.length === 0) throw new Error(`The page has no command "aws ${operation}".`);
  return commands.map((command) => {
    // Whoever copies a command from a list takes its indentation off.
    const indent = /^ */.exec(command)?.[0] ?? "";
    const script = `aws() { printf '%s\\0' "$@"; case " $* " in *" fileb:///dev/stdin "*) printf '<\\0%s\\0' "$(cat)";; esac; }
${command.replaceAll(new RegExp(`^${indent}`, "gm"), "")}`;
    const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
    return {
      words,
      input: words.includes("<") ? (words[words.indexOf("<") + 1] ?? "") : "",
      option: (name) => (words.includes(name) ? (words[words.indexOf(name) + 1] ?? "") : ""),
    };
  });
}
