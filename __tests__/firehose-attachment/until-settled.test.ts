import { controlPlaneError } from "../../functions/firehose-attachment/adapters/control-plane-error.ts";
import { untilSettled } from "../../functions/firehose-attachment/core/until-settled.ts";

const denied = () =>
  controlPlaneError(
    "firehose:UpdateDestination",
    "events",
    Object.assign(new Error("You may not."), { name: "AccessDeniedException" }),
  );

function clockThatNotes() {
  const waits: number[] = [];
  return {
    waits,
    sleep: async (seconds: number) => {
      waits.push(seconds);
    },
  };
}

describe("repeating until settled", () => {
  test("a right that was granted a moment ago is waited for", async () => {
    const clock = clockThatNotes();
    let tries = 0;
    const outcome = await untilSettled("events", clock, async () => {
      tries += 1;
      if (tries < 4) throw denied();
      return { attached: true };
    });
    expect(outcome).toEqual({ attached: true });
    expect(clock.waits).toEqual([1, 2, 4]);
  });

  test("a right that is never granted is named, with the action that lacks it", async () => {
    await expect(
      untilSettled("events", clockThatNotes(), async () => {
        throw denied();
      }),
    ).rejects.toThrow(/^firehose:UpdateDestination failed for "events"; .*AccessDeniedException/);
  });

  test("a stream that others keep changing is an error of its own", async () => {
    await expect(untilSettled("events", clockThatNotes(), async () => "changed-meanwhile")).rejects.toThrow(
      /was changed by others/,
    );
  });
});
