/** What GitHub reads and cannot be run here: what can be said of its text, and the workflows' one script. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { failureComment } from "../cli/plan-review/comment.ts";
import { stackNames } from "../stacks/app.ts";

const folder = join(__dirname, "../.github/workflows");
const files = readdirSync(folder);
const textOf = (file: string) => readFileSync(join(folder, file), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include?: readonly { readonly run: string }[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface IssueForm {
  readonly name: string;
  readonly description: string;
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: {
      readonly label?: string;
      readonly value?: string;
      readonly options?: readonly string[];
    };
  }[];
}

interface Dependabot {
  readonly updates: readonly {
    readonly "package-ecosystem": string;
    readonly directories?: readonly string[];
    readonly ignore?: readonly {
      readonly "dependency-name": string;
      readonly versions?: readonly string[];
    }[];
  }[];
}

const read = (file: string) => parse(textOf(file)) as Workflow;
const stepsOf = (file: string) => Object.values(read(file).jobs).flatMap(({ steps }) => steps);

/** What a step runs, those of a matrix included. */
function commandsOf(file: string): string[] {
  const ofMatrices = Object.values(read(file).jobs).flatMap(({ strategy }) => strategy?.matrix.include ?? []);
  return [...stepsOf(file), ...ofMatrices].flatMap(({ run }) => run ?? []);
}

test("the workflows are these", () => {
  expect(files.sort()).toEqual(["bench.yml", "cdktn.yml", "ci.yml", "release.yml", "terraform-plan.yml"]);
});

describe.each(files)("%s", (file) => {
  test("every action is pinned by its full commit, with its version beside it", () => {
    const uses = textOf(file)
      .split("\n")
      .filter((line) => /^\s*(- )?uses:/.test(line));

    expect(uses).toHaveLength(stepsOf(file).filter((step) => step.uses !== undefined).length);
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("it never runs a stranger's code with rights, and has no secret to lose", () => {
    expect(Object.keys(read(file).on)).not.toContain("pull_request_target");
    expect(Object.keys(read(file).on)).not.toContain("workflow_run");
    expect(textOf(file)).not.toContain("secrets.");
  });

  test("what others write is no part of a script", () => {
    for (const command of commandsOf(file))
      expect(command).toMatch(/^(\$\{\{ matrix\.run \}\}|(?!.*\$\{\{).*)$/s);
    for (const step of stepsOf(file)) expect(String(step.with?.script ?? "")).not.toContain("${" + "{");
  });

  test("jobs end, later runs replace earlier ones, and no checkout leaves a token behind", () => {
    expect(read(file).concurrency).toBeDefined();
    for (const job of Object.values(read(file).jobs)) expect(job["timeout-minutes"]).toBeGreaterThan(0);
    const checkouts = stepsOf(file).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const checkout of checkouts) {
      const { "fetch-depth": _depth, ...given } = checkout.with ?? {};
      expect(given).toEqual({ "persist-credentials": false });
    }
  });

  test("terraform's output is read as terraform wrote it", () => {
    for (const step of stepsOf(file).filter(({ uses }) => uses?.startsWith("hashicorp/setup-terraform@")))
      expect(step.with).toMatchObject({ terraform_wrapper: false });
  });
});

test("one action has one version in all workflows", () => {
  const uses = files.flatMap((file) => stepsOf(file)).flatMap((step) => step.uses ?? []);
  const versions = Map.groupBy(new Set(uses), (action) => action.split("@")[0]);

  for (const [, found] of versions) expect(found).toHaveLength(1);
});

test("every check of npm run verify is a job, and no job has a right but to read", () => {
  const { scripts } = JSON.parse(readFileSync(join(__dirname, "../package.json"), "utf8"));
  const { jobs, permissions } = read("ci.yml");

  expect(commandsOf("ci.yml")).toEqual(expect.arrayContaining(scripts.verify.split(" && ")));
  expect(permissions).toEqual({ contents: "read" });
  expect(Object.values(jobs).flatMap((job) => Object.keys(job.permissions ?? {}))).toEqual([]);
});

describe("the release", () => {
  const { on, permissions, jobs } = read("release.yml");

  test("it starts by a tag alone, and what packages run can neither sign nor publish", () => {
    expect(on).toEqual({ push: { tags: ["v*"] } });
    expect(permissions).toEqual({});
    expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
      build: { contents: "read" },
      attest: { "id-token": "write", attestations: "write" },
      publish: { contents: "write" },
    });
    for (const name of ["attest", "publish"])
      expect(jobs[name]?.steps.some(({ run }) => /\b(npm|npx|node)\b/.test(run ?? ""))).toBe(false);
  });

  test("it is built of the tag, attested by its checksums and published with its notes", () => {
    const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    const attested = jobs.attest?.steps.find(({ uses }) => uses?.includes("attest-build-provenance"));

    expect(commands).toEqual([
      "npm ci",
      'npm run release -- --tag "$GITHUB_REF_NAME"',
      "sha256sum --check --strict SHA256SUMS",
      expect.stringMatching(/^gh release create "\$GITHUB_REF_NAME" --verify-tag .* SHA256SUMS$/),
    ]);
    expect(commands.at(-1)).toContain("--notes-file release-notes.md ./*.zip ./*.tar.gz ./*.cdx.json");
    expect(attested?.with).toEqual({ "subject-checksums": "SHA256SUMS" });
  });

  test("each part waits for the one before it", () => {
    expect(Object.values(jobs).map(({ needs }) => needs)).toEqual([undefined, "build", "attest"]);
  });
});

test("the weekly check of cdktn names the folder that it installs into", () => {
  const { on, permissions } = read("cdktn.yml");
  const commands = commandsOf("cdktn.yml");

  expect(Object.keys(on)).toEqual(["schedule", "workflow_dispatch"]);
  expect(permissions).toEqual({ contents: "read" });
  expect(commands.at(-2)).toMatch(/^npm install --prefix "\$RUNNER_TEMP\/cdktn" /);
  expect(commands.at(-1)).toBe('npm run check:cdktn -- --packages "$RUNNER_TEMP/cdktn"');
});

describe("the job that plans and the job that comments", () => {
  test("who runs the code of a pull request cannot write to it, and who writes runs none of it", () => {
    const { permissions, jobs } = read("terraform-plan.yml");

    expect(permissions).toEqual({});
    expect(jobs.plan?.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect(jobs.comment?.permissions).toEqual({ "pull-requests": "write" });
    expect(jobs.comment?.steps.some(({ run, uses }) => run !== undefined || uses?.includes("checkout"))).toBe(
      false,
    );
  });

  test("packages are installed before there are credentials", () => {
    const steps = read("terraform-plan.yml").jobs.plan?.steps ?? [];
    const installs = ["npm ci", "node cli/install.mjs stacks"].map((command) =>
      steps.findIndex(({ run }) => run === command),
    );
    const credentials = steps.findIndex(({ uses }) => uses?.startsWith("aws-actions/"));

    for (const install of installs) {
      expect(install).toBeGreaterThan(-1);
      expect(credentials).toBeGreaterThan(install);
    }
  });

  const review = failureComment("sms-retry-kinesis", "terraform plan", "Error");
  const [mark] = review.split("\n");

  /** Runs the script of the workflow on a pull request with these comments; what it asked of GitHub. */
  async function runScript(body: string, comments: readonly object[]) {
    const calls: unknown[] = [];
    const call = (name: string) => async (parameters: object) => calls.push([name, parameters]);
    const issues = { listComments: {}, updateComment: call("update"), createComment: call("create") };
    const script = read("terraform-plan.yml").jobs.comment?.steps.at(-1)?.with?.script;
    const run = new Function("require", "context", "github", `return (async () => { ${script} })()`);
    await run(
      () => ({ readFileSync: () => body }),
      { repo: { owner: "o", repo: "r" }, issue: { number: 7 } },
      { rest: { issues }, paginate: async () => comments },
    );
    return calls;
  }

  const bot = { login: "github-actions[bot]" };
  const created = [["create", { owner: "o", repo: "r", issue_number: 7, body: review }]];

  test("the first review is a new comment", async () => {
    expect(await runScript(review, [{ id: 1, user: bot, body: "Another bot's report" }])).toEqual(created);
  });

  test("a later one replaces it", async () => {
    const comments = [
      { id: 1, user: bot, body: "<!-- sms-retry plan of sms-retry-firehose -->\nOf another stack" },
      { id: 2, user: bot, body: `${mark}\nFormer plan` },
    ];

    expect(await runScript(review, comments)).toEqual([
      ["update", { owner: "o", repo: "r", comment_id: 2, body: review }],
    ]);
  });

  test("a person's comment that begins alike is not touched, nor one whose author is gone", async () => {
    const comments = [
      { id: 1, user: { login: "somebody" }, body: review },
      { id: 2, user: null, body: review },
    ];

    expect(await runScript(review, comments)).toEqual(created);
  });

  test("what is no review is not posted", async () => {
    await expect(runScript("Buy now!", [])).rejects.toThrow("not a review");
  });
});

describe("the forms for issues", () => {
  const forms = readdirSync(join(folder, "../ISSUE_TEMPLATE")).filter((file) => file !== "config.yml");
  const readForm = (file: string) => parse(textOf(join("../ISSUE_TEMPLATE", file))) as IssueForm;

  test.each(forms)("%s has what GitHub demands, and every field that it asks for its own id", (file) => {
    const { name, description, body } = readForm(file);
    const fields = body.filter(({ type }) => type !== "markdown");
    const ids = fields.map(({ id }) => id);

    expect([name, description].every((text) => text.length > 0)).toBe(true);
    expect(fields.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, attributes } of fields) {
      expect(id).toMatch(/^[a-z]+$/);
      expect(attributes.label).not.toBe("");
    }
  });

  test("a fault's report names the part, among them every stack, and nothing personal", () => {
    const { body } = readForm("bug.yml");
    const parts = body.find(({ id }) => id === "part")?.attributes.options;

    expect(parts).toEqual(expect.arrayContaining([...stackNames]));
    expect(body[0]?.attributes.value).toMatch(/SECURITY\.md.*phone numbers/s);
  });
});

test("a pull request is asked for its test plan", () => {
  expect(textOf("../pull_request_template.md")).toContain("## Test plan");
});

test("dependabot keeps to package.json's range of constructs, and knows what is archived", () => {
  const { updates } = parse(textOf("../dependabot.yml")) as Dependabot;
  const { dependencies } = JSON.parse(readFileSync(join(__dirname, "../stacks/package.json"), "utf8"));
  const ignored = updates.find((update) => update["package-ecosystem"] === "npm")?.ignore ?? [];
  const rangeOf = (name: string) => ignored.find((rule) => rule["dependency-name"] === name);

  expect(updates.map((update) => update["package-ecosystem"])).toEqual(["npm", "github-actions"]);
  expect(updates[0]?.directories).toEqual(["/", "/stacks", "/cli/old-host"]);
  expect(dependencies.constructs).toBe(">=10.6.0 <10.8.0");
  expect(rangeOf("constructs")).toMatchObject({ versions: [">=10.8.0"] });
  expect(rangeOf("@cdktf/*")).toBeDefined();
});
