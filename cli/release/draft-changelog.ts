/**
 * `npm run changelog`: prints a draft of the changelog's next section from the titles of the commits since the newest
 * tag `v*`, or of all commits while there is none.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { draftOf } from "./changelog.ts";

const cwd = join(import.meta.dirname, "../..");
const git = (...parameters: string[]) => execFileSync("git", parameters, { cwd, encoding: "utf8" }).trim();

const [tag] = git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").split("\n");
const range = tag ? [`${tag}..HEAD`] : [];
const titles = git("log", "--reverse", "--no-merges", "--format=%s", ...range).split("\n");
process.stdout.write(draftOf(titles));
