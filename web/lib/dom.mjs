// @ts-check
/**
 * Makes DOM elements out of plain values. Everything a person, a file name or a prompt says goes in as text and
 * never as markup; there is no way to hand this module HTML.
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
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * A real button: focusable, and pressed by Enter and Space.
 *
 * @param {string} label
 * @param {() => void} onPress
 * @param {{ class?: string, [attribute: string]: string | undefined }} [attributes]
 */
export function button(label, onPress, attributes = {}) {
  const made = element("button", { type: "button", text: label, ...attributes });
  made.addEventListener("click", onPress);
  keepPresses(made);
  return made;
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
 * Keys with these are ComfyUI's and the browser's.
 *
 * @param {{ ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean }} pressed
 */
export function isModified({ ctrlKey, altKey, metaKey }) {
  return ctrlKey || altKey || metaKey;
}

/**
 * Enter and Space stop here, since ComfyUI listens for keys on the whole window (Space pans the canvas); with a
 * modifier they go on, so that Ctrl+Enter still queues.
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
