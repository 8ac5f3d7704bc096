/**
 * Child process of the bench: pinned to a core, controlled by orders, measured, and stopped by its process
 * id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Answer, Order } from './orders.ts';
import { cpuSecondsOf } from './processor.ts';

const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const ORDER_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;
const LINES_KEPT = 40;

interface Options {
  /** Path of the compiled script. */
  readonly script: string;
  readonly core: number | undefined;
  /** Flags for `node`. */
  readonly flags?: readonly string[];
  readonly environment?: Record<string, string>;
}

export class Worker {
  readonly #child: ChildProcess;
  /** Time at which the process was started, by `performance.now()`. */
  readonly startedAt = performance.now();
  readonly #name: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #lines: string[] = [];
  #orders = 0;

  constructor(name: string, { script, core, flags = [], environment = {} }: Options) {
    this.#name = name;
    const node = [process.execPath, ...flags, '--expose-gc', '--import', PROBE, script];
    const [command, ...args] = (
      core === undefined ? node : ['taskset', '--cpu-list', String(core), ...node]
    ) as [string, ...string[]];
    this.#child = spawn(command, args, {
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    this.#child.once('exit', (code, signal) => {
      const error = `${this.#name} ended with ${code ?? signal}:\n${this.#lines.join('\n')}`;
      for (const [id, settle] of this.#waiting) settle({ id, error });
    });
  }

  /** Waits until the process prints a line that contains these words, and returns the line. */
  async said(words: string): Promise<string> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const line = this.#lines.find((each) => each.includes(words));
      if (line) return line;
      if (this.hasEnded || performance.now() > deadline)
        throw new Error(`${this.#name} did not print "${words}":\n${this.#lines.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /**
   * Sends an order and returns the answer. Rejects if the process reports an error, ends, or does not answer
   * in time.
   */
  async ask<Result>(name: string, input: unknown = null, timeoutMs = ORDER_TIMEOUT_MS): Promise<Result> {
    if (this.hasEnded) throw new Error(`${this.#name} has ended`);
    this.#orders += 1;
    const order: Order = { id: this.#orders, name, input };
    const answer = await new Promise<Answer>((settle) => {
      const error = `${this.#name} did not answer "${name}" within ${timeoutMs / 1000} s`;
      const timer = setTimeout(() => settle({ id: order.id, error }), timeoutMs);
      this.#waiting.set(order.id, (given) => {
        clearTimeout(timer);
        settle(given);
      });
      this.#child.send(order, (failed) => failed && settle({ id: order.id, error: failed.message }));
    });
    this.#waiting.delete(order.id);
    if (answer.error) throw new Error(answer.error);
    return answer.result as Result;
  }

  /** Returns the CPU seconds that the process has used so far (user and system), with all its threads. */
  async cpuSeconds(): Promise<number> {
    return cpuSecondsOf(this.#child.pid);
  }

  /**
   * Suspends the process (SIGSTOP) until `resume` is called, so that it does not disturb the measurement of other
   * processes.
   */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.resume();
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await exited;
    clearTimeout(impatient);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
  }
}
