/**
 * Number of rows of one answer whose fields are executed in one task of the event loop. 200 rows with 10
 * fields each take about 5 ms.
 */
const MAX_ROWS_A_TASK = 200;

interface Waiting {
  readonly rows: number;
  readonly resume: () => void;
}

/**
 * Splits the execution of one answer into several tasks of the event loop, so that other requests run in
 * between. Without this class, the fields of all rows that a DataLoader resolves at once (a hundred pages)
 * would be executed in one long task.
 */
export class EventLoopYielder {
  #rows = 0;
  readonly #waiting: Waiting[] = [];

  /**
   * Reserves room for rows in the current task. Returns undefined if the rows fit; otherwise a promise that
   * the caller must await before the fields of these rows are executed.
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
