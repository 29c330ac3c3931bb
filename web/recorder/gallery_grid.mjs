// @ts-check
/** Into how many columns images are laid so that they are as large as their room allows. Pure: no DOM. */

/** Images whose longer side would be smaller are not laid into their room: the list scrolls instead. */
export const LEAST_PX = 84;

/** Room for both buttons and a name, even where the image is narrower. */
const LEAST_CELL_PX = 110;

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} cell the width of a cell
 * @property {number} width of an image
 * @property {number} height of an image
 */

/**
 * @param {number} count of images, at least 1
 * @param {{ width: number, height: number }} room for all cells
 * @param {number} aspect an image's width divided by its height
 * @param {{ x: number, y: number, gap: number }} around an image in its cell, and between two cells
 * @returns {Grid | null} null where the room is too small for all of them
 */
export function gridFor(count, room, aspect, around) {
  /** @type {Grid | null} */
  let best = null;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const width = (room.width - around.gap * (columns - 1)) / columns - around.x;
    const height = (room.height - around.gap * (rows - 1)) / rows - around.y;
    const fitting = Math.floor(Math.min(width, height * aspect));
    if (fitting <= 0 || Math.max(fitting, fitting / aspect) < LEAST_PX) continue;
    // Of grids with images of nearly one size, the one with the fewest columns: four are a square.
    if (best && fitting <= best.width * 1.02) continue;
    const cell = Math.min(width, Math.max(fitting, LEAST_CELL_PX)) + around.x;
    best = { columns, cell: Math.floor(cell), width: fitting, height: Math.floor(fitting / aspect) };
  }
  return best;
}
