// The standalone page loads quickly: it preloads every module at once, and not one import after another.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../../../web/", import.meta.url);
const read = (address) => readFileSync(address, "utf8");

test("every module of the page is preloaded, and no other", () => {
  const modules = new Set();
  const follow = (address) => {
    for (const [, path] of read(address).matchAll(/(?:^(?:import|export) .*?from |import\()"(\.[^"]+)"\)?[;,]$/gms)) {
      const imported = new URL(path, address);
      if (modules.has(imported.href)) continue;
      modules.add(imported.href);
      follow(imported);
    }
  };
  follow(new URL("standalone/page.mjs", web));

  const page = read(new URL("standalone/index.html", web));
  const preloaded = [...page.matchAll(/rel="modulepreload" href="\/web\/([^"]+)"/g)];
  assert.deepEqual(preloaded.map(([, path]) => new URL(path, web).href).sort(), [...modules].sort());
});
