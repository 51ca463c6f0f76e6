/** A test that ran out of time must not disturb the next one. Needs `npm run bundle`. */
import { type Deployment, kinesisRecord, startDeployment } from "./deployment.ts";
import { failureRecord, recentlySent } from "./recent-messages.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());

test("what is under way at a reset ends with an error, and what follows finds everything whole", async () => {
  // Prepare: a test whose sends are never answered, so that it never ends.
  await deployment.table.putAll([recentlySent("leftover-1"), recentlySent("leftover-2")]);
  await deployment.consume([kinesisRecord(failureRecord("leftover-1"))]);
  deployment.pinpoint.answer = () => "HANG";
  const draining = deployment.drain();
  while (deployment.pinpoint.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  deployment.proxy.intercept = () => new Promise(() => {});
  const consuming = deployment.consume([kinesisRecord(failureRecord("leftover-2"))]);
  const ends = Promise.allSettled([draining, consuming]);

  // Act
  await deployment.reset();

  // Assess
  expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(deployment.pinpoint.requests).toEqual([]);
  await deployment.table.put(recentlySent("next"));
  expect(await deployment.consume([kinesisRecord(failureRecord("next"))])).toEqual([]);
  await deployment.drain();
  expect(deployment.pinpoint.requests.map(({ context }) => context?.application_message_id)).toEqual([
    "next",
  ]);
});
