// @ts-check
/** The path at which ComfyUI serves an image. */

/**
 * @param {GalleryImage} image
 * @param {string} generationId keeps the browser from showing an older image of the same file name
 * @param {boolean} [full] the file itself instead of a smaller preview
 */
export function imageUrl({ filename, subfolder, type }, generationId, full = false) {
  const query = new URLSearchParams({ filename, subfolder, type, of: generationId });
  if (!full) query.set("preview", "jpeg;80");
  return `/view?${query}`;
}
