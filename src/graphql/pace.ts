/**
 * Rows of one answer whose fields are executed in one task of the event loop. 200 rows with 10 fields each
 * take about 5 ms.
 */
const MAX_ROWS_A_TASK = 200;

interface Waiting {
  readonly rows: number;
  readonly resume: () => void;
}

/**
 * Spreads the execution of one answer over tasks of the event loop. A DataLoader resolves the pages of a
 * hundred parents in one task: without this, a page of pages would block the event loop until the fields of
 * all its rows are executed.
 */
export class Pace {
  #rows = 0;
  readonly #waiting: Waiting[] = [];

  /**
   * Takes room for rows in the current task. Returns a promise to await before their fields are executed;
   * undefined if they fit now.
   */
  take(rows: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(rows)) {
      if (this.#rows === 0) setImmediate(this.#beginTask);
      this.#rows += Math.max(1, rows);
      return undefined;
    }
    return new Promise((resume) => this.#waiting.push({ rows, resume }));
  }

  #fits(rows: number): boolean {
    return this.#rows === 0 || this.#rows + rows <= MAX_ROWS_A_TASK;
  }

  readonly #beginTask = (): void => {
    this.#rows = 0;
    let resumed = 0;
    for (const { rows, resume } of this.#waiting) {
      if (!this.#fits(rows)) break;
      this.#rows += Math.max(1, rows);
      resumed += 1;
      resume();
    }
    this.#waiting.splice(0, resumed);
    if (resumed > 0) setImmediate(this.#beginTask);
  };
}
