// @ts-check
/**
 * A table whose columns sort by their titles and whose rows can unfold. Whoever fills it does the sorting: the
 * server for large tables, a tab itself for small ones.
 */

import { button, element } from "../lib/dom.mjs";

/** @template Row */
export class Table {
  #parts;
  #body = element("tbody");
  #none;
  #frame;
  /** @type {Map<string, HTMLElement>} */
  #titles = new Map();

  /** @param {TableParts<Row>} parts */
  constructor(parts) {
    this.#parts = parts;
    this.order = parts.order;
    const titles = parts.columns.map((column) => this.#title(column));
    this.#frame = element("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": parts.caption }, [
      element("table", { "aria-label": parts.caption }, [
        element("thead", {}, [element("tr", {}, titles)]),
        this.#body,
      ]),
    ]);
    this.#none = element("p", { class: "cc-note", text: parts.none });
    this.element = element("div", {}, [this.#frame, this.#none]);
    this.#tellOrder();
    this.show([]);
  }

  /** @param {Row[]} rows in order */
  show(rows) {
    this.#body.replaceChildren(...rows.flatMap((row) => this.#row(row)));
    this.#none.hidden = rows.length > 0;
    this.#frame.hidden = rows.length === 0;
    this.#frame.scrollTop = 0;
  }

  /** @param {Column<Row>} column */
  #title(column) {
    const title = element(
      "th",
      { scope: "col", class: column.numeric ? "cc-numeric" : undefined, title: column.help },
      [button(column.title, () => this.#sortBy(column), { class: "cc-sort" })],
    );
    this.#titles.set(column.key, title);
    return title;
  }

  /** @param {Column<Row>} column */
  #sortBy(column) {
    const again = this.order.key === column.key;
    const descending = again ? !this.order.descending : column.numeric === true;
    this.order = { key: column.key, descending };
    this.#tellOrder();
    this.#parts.sorted(this.order);
  }

  #tellOrder() {
    for (const [key, title] of this.#titles) {
      const sorted = key === this.order.key;
      if (sorted) title.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
      else title.removeAttribute("aria-sort");
    }
  }

  /** @param {Row} row */
  #row(row) {
    const { columns, details } = this.#parts;
    const cells = columns.map(({ cell, numeric }, place) => {
      const scope = place === 0 ? "row" : undefined;
      const made = element(scope ? "th" : "td", { scope, class: numeric ? "cc-numeric" : undefined });
      made.append(cell(row));
      return made;
    });
    const shown = element("tr", {}, cells);
    if (!details) return [shown];
    const unfolded = element("tr", { class: "cc-unfolded" });
    unfolded.hidden = true;
    const opener = button("", () => this.#unfold(opener, unfolded, row), {
      class: "cc-opener",
      "aria-expanded": "false",
      "aria-label": details.label(row),
    });
    cells[0].prepend(opener);
    // A click anywhere in the row; the keyboard has the opener.
    shown.addEventListener("click", ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) opener.click();
    });
    return [shown, unfolded];
  }

  /**
   * @param {HTMLElement} opener
   * @param {HTMLElement} unfolded
   * @param {Row} row
   */
  #unfold(opener, unfolded, row) {
    const { columns, details } = this.#parts;
    if (!details) return;
    unfolded.hidden = !unfolded.hidden;
    opener.setAttribute("aria-expanded", String(!unfolded.hidden));
    // Asked anew each time it opens: what it tells may have changed.
    const cell = element("td", { colspan: String(columns.length) }, unfolded.hidden ? [] : [details.show(row)]);
    unfolded.replaceChildren(cell);
  }
}
