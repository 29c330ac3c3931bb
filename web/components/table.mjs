// @ts-check
/**
 * A table whose columns sort by their titles and whose rows can expand. Where there is no room for all columns, each row
 * is a card, and the titles are a line above them: nothing is cut off, and nothing scrolls sideways. The owner of the rows
 * sorts them: the server for large tables, a tab itself for small ones.
 */

import { button, element } from "../lib/dom.mjs";

/** @template Row */
export class Table {
  #options;
  #body = element("tbody");
  #emptyNote;
  #frame;
  /** @type {Map<string, HTMLElement>} */
  #titles = new Map();

  /** @param {TableOptions<Row>} options */
  constructor(options) {
    this.#options = options;
    this.order = options.order;
    const titles = options.columns.map((column) => this.#title(column));
    this.#frame = element("div", { class: "cc-table" }, [
      element("table", { "aria-label": options.caption }, [
        element("thead", {}, [element("tr", {}, titles)]),
        this.#body,
      ]),
    ]);
    this.#emptyNote = element("p", { class: "cc-note", text: options.emptyNote });
    this.element = element("div", {}, [this.#frame, this.#emptyNote]);
    this.#markOrder();
    this.show([]);
    new ResizeObserver(() => this.#fit()).observe(this.#frame);
  }

  #fit() {
    this.#frame.classList.remove("cc-cards");
    this.#frame.classList.toggle("cc-cards", this.#frame.scrollWidth > this.#frame.clientWidth);
  }

  /**
   * @param {Row[]} rows in order
   * @param {string} [emptyNote] where there are none, instead of the table's own
   */
  show(rows, emptyNote = this.#options.emptyNote) {
    this.#emptyNote.textContent = emptyNote;
    this.#body.replaceChildren(...rows.flatMap((row) => this.#row(row)));
    this.#emptyNote.hidden = rows.length > 0;
    this.#frame.hidden = rows.length === 0;
    this.#fit();
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
    this.#markOrder();
    this.#options.onSort(this.order);
  }

  #markOrder() {
    for (const [key, title] of this.#titles) {
      const sorted = key === this.order.key;
      if (sorted) title.setAttribute("aria-sort", this.order.descending ? "descending" : "ascending");
      else title.removeAttribute("aria-sort");
    }
  }

  /** @param {Row} row */
  #row(row) {
    const { columns, details } = this.#options;
    const cells = columns.map(({ cell, numeric, title }, place) => {
      const type = numeric ? "cc-numeric" : undefined;
      const cellElement =
        place === 0 ? element("th", { scope: "row" }) : element("td", { class: type, "data-title": title });
      cellElement.append(cell(row));
      return cellElement;
    });
    const rowElement = element("tr", {}, cells);
    if (!details) return [rowElement];
    const detailsRow = element("tr", { class: "cc-details" });
    detailsRow.hidden = true;
    const expander = button("", () => this.#toggle(expander, detailsRow, row), {
      class: "cc-expand",
      "aria-expanded": "false",
      "aria-label": details.label(row),
    });
    cells[0].prepend(expander);
    // A click anywhere in the row; the keyboard has the button.
    rowElement.addEventListener("click", ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) expander.click();
    });
    return [rowElement, detailsRow];
  }

  /**
   * @param {HTMLElement} expander
   * @param {HTMLElement} detailsRow
   * @param {Row} row
   */
  #toggle(expander, detailsRow, row) {
    const { columns, details } = this.#options;
    if (!details) return;
    detailsRow.hidden = !detailsRow.hidden;
    expander.setAttribute("aria-expanded", String(!detailsRow.hidden));
    // Created each time it expands: the data may have changed.
    const cell = element("td", { colspan: String(columns.length) }, detailsRow.hidden ? [] : [details.show(row)]);
    detailsRow.replaceChildren(cell);
  }
}
