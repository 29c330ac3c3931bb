// Images are as large as the room of their node allows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gridFor, LEAST_PX } from "../../../web/recorder/gallery_grid.mjs";

const AROUND = { x: 10, y: 60, gap: 6 };

test("one image fills its room, whichever side ends first", () => {
  assert.equal(gridFor(1, { width: 410, height: 900 }, 1, AROUND).width, 400);
  assert.equal(gridFor(1, { width: 900, height: 460 }, 1, AROUND).width, 400);
  assert.equal(gridFor(1, { width: 900, height: 660 }, 1.5, AROUND).height, 593);
});

test("four are a square in a square room, a row in a wide one, a column in a tall one", () => {
  assert.equal(gridFor(4, { width: 600, height: 720 }, 1, AROUND).columns, 2);
  assert.equal(gridFor(4, { width: 1200, height: 320 }, 1, AROUND).columns, 4);
  assert.equal(gridFor(4, { width: 220, height: 1200 }, 1, AROUND).columns, 1);
});

test("all of them fit, and no other number of columns makes them larger", () => {
  for (const count of [1, 2, 3, 4, 5, 6, 9, 12]) {
    for (const [width, height] of [
      [420, 1100],
      [900, 520],
      [640, 640],
      [300, 900],
    ]) {
      for (const aspect of [1, 2 / 3, 16 / 9]) {
        const grid = gridFor(count, { width, height }, aspect, AROUND);
        if (!grid) continue;
        const rows = Math.ceil(count / grid.columns);
        assert.ok(grid.cell * grid.columns + AROUND.gap * (grid.columns - 1) <= width);
        assert.ok((grid.height + AROUND.y) * rows + AROUND.gap * (rows - 1) <= height);
        for (let columns = 1; columns <= count; columns += 1) {
          const across = (width - AROUND.gap * (columns - 1)) / columns - AROUND.x;
          const others = Math.ceil(count / columns);
          const high = (height - AROUND.gap * (others - 1)) / others - AROUND.y;
          assert.ok(Math.min(across, high * aspect) <= grid.width * 1.02 + 1, `${columns} columns for ${count}`);
        }
      }
    }
  }
});

test("where they would be too small to judge, the list scrolls instead", () => {
  assert.equal(gridFor(20, { width: 300, height: 300 }, 1, AROUND), null);
  assert.equal(gridFor(1, { width: 400, height: AROUND.y + LEAST_PX - 1 }, 1, AROUND), null);
  assert.equal(gridFor(1, { width: 400, height: -20 }, 1, AROUND), null);
});
