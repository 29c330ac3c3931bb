// Verdicts reach the server in the order of the presses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { VerdictSaver } from "../../../web/recorder/verdict_saver.mjs";

/** A server that answers each request only when the test lets it. */
function slowServer() {
  const sent = [];
  const send = (body) =>
    new Promise((resolve, reject) => sent.push({ body, accept: () => resolve(body), refuse: reject }));
  return { sent, send };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("while one verdict is under way only the newest waits", async () => {
  const { sent, send } = slowServer();
  const reports = [];
  const saver = new VerdictSaver(send, (state) => reports.push(state));
  saver.save({ press: 1 });
  saver.save({ press: 2 });
  saver.save({ press: 3 });
  await settle();
  assert.deepEqual(
    sent.map(({ body }) => body.press),
    [1],
  );

  sent[0].accept();
  await settle();
  assert.deepEqual(
    sent.map(({ body }) => body.press),
    [1, 3],
  );
  assert.deepEqual(reports, ["saving"], "an overtaken verdict is not reported as saved");

  sent[1].accept();
  await settle();
  assert.deepEqual(reports, ["saving", "saved"]);
});

test("a refused verdict is reported with its reason, and the next one is sent", async () => {
  const { sent, send } = slowServer();
  const reports = [];
  const saver = new VerdictSaver(send, (state, detail) => reports.push([state, detail?.message]));
  saver.save({ press: 1 });
  sent[0].refuse(new Error("database is read-only"));
  await settle();
  assert.deepEqual(reports.at(-1), ["failed", "database is read-only"]);

  saver.save({ press: 2 });
  sent[1].accept();
  await settle();
  assert.equal(reports.at(-1)[0], "saved");
});
