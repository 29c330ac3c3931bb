// Requests and refusals, against a real HTTP server.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { Server, ServerError } from "../../../web/lib/api_client.mjs";

const requests = [];
let http;
let server;

before(async () => {
  http = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    requests.push({ method: request.method, url: request.url, body: Buffer.concat(parts).toString() });
    const answers = {
      "/context_checkpoint/feedback": [404, { error: { code: "unknown_generation", message: "No such run." } }],
      "/context_checkpoint/settings": [200, { policy: "bayesian" }],
      "/context_checkpoint/statistics?parts=pairs&parts=series&search=a%26b&descending=false": [200, { pairs: [] }],
      "/context_checkpoint/generations?id=a%26b": [200, { generations: [{ id: "a&b", images: [] }] }],
    };
    const [status, body] = answers[request.url] ?? [502, "<h1>Bad gateway</h1>"];
    response.writeHead(status);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${http.address().port}`;
  server = new Server((path, options) => fetch(origin + path, options));
});

after(() => http.close());

test("a refusal carries the server's own message and code", async () => {
  await assert.rejects(server.sendFeedback({ generation_id: "x" }), (error) => {
    assert.ok(error instanceof ServerError);
    assert.deepEqual([error.message, error.status, error.code], ["No such run.", 404, "unknown_generation"]);
    return true;
  });
  assert.deepEqual(requests.at(-1), {
    method: "POST",
    url: "/context_checkpoint/feedback",
    body: '{"generation_id":"x"}',
  });
});

test("a response that is not JSON is reported by its status", async () => {
  await assert.rejects(server.releaseLoaders(), { name: "ServerError", message: "HTTP 502 Bad Gateway" });
});

test("a server that does not respond is an error with status 0", async () => {
  const gone = new Server(() => Promise.reject(new TypeError("Failed to fetch")));
  await assert.rejects(gone.settings(), { name: "ServerError", status: 0, message: "Failed to fetch" });
});

test("a generation is requested by its id", async () => {
  assert.deepEqual(await server.generation("a&b"), { id: "a&b", images: [] });
});

test("a query has the given parameters and leaves out undefined ones", async () => {
  const query = { parts: ["pairs", "series"], search: "a&b", descending: false, keyword: undefined };
  assert.deepEqual(await server.statistics(query), { pairs: [] });
});
