// Short names: the same cases as in Python (`tests/learning/test_names.py`).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shortNames } from "../../../web/lib/checkpoint_name.mjs";

const cases = JSON.parse(readFileSync(new URL("../../short_names.json", import.meta.url), "utf8"));

test("names that are shown together are told apart", () => {
  for (const shown of cases) assert.deepEqual(Object.fromEntries(shortNames(Object.keys(shown))), shown);
});
