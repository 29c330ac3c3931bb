// @ts-check
/**
 * Creates DOM elements from plain values. Prompts, file names and other data become text and never markup: this module
 * takes no HTML.
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ class?: string, text?: string, [attribute: string]: string | undefined }} [attributes] `text` becomes
 *   the text content, the rest attributes; undefined ones are left out
 * @param {(Node | null)[]} [children] null ones are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, children = []) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (name === "text") created.textContent = value;
    else created.setAttribute(name, value);
  }
  created.append(...children.filter((child) => child !== null));
  return created;
}

/**
 * A real button: focusable, and pressed by Enter and Space.
 *
 * @param {string} label
 * @param {() => void} onPress
 * @param {{ class?: string, [attribute: string]: string | undefined }} [attributes]
 */
export function button(label, onPress, attributes = {}) {
  const created = element("button", { type: "button", text: label, ...attributes });
  created.addEventListener("click", onPress);
  keepPresses(created);
  return created;
}

/**
 * A control under its label.
 *
 * @param {string} label
 * @param {HTMLElement} control
 */
export function field(label, control) {
  return element("label", { class: "cc-field" }, [element("span", { text: label }), control]);
}

/**
 * Whether a key is pressed with a modifier: such keys belong to ComfyUI and the browser.
 *
 * @param {{ ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean }} pressed
 */
export function isModified({ ctrlKey, altKey, metaKey }) {
  return ctrlKey || altKey || metaKey;
}

/**
 * Keep Enter and Space from ComfyUI, which listens on the whole window (Space pans the canvas). With a modifier they are
 * passed on, so that Ctrl+Enter still queues.
 *
 * @param {HTMLElement} pressable
 */
export function keepPresses(pressable) {
  for (const event of /** @type {const} */ (["keydown", "keyup"])) {
    pressable.addEventListener(event, (pressed) => {
      if ((pressed.key === "Enter" || pressed.key === " ") && !isModified(pressed)) pressed.stopPropagation();
    });
  }
}
