/**
 * Checks that the regular expressions of the source are safe from ReDoS, because clients and the provider
 * choose the texts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'vite';
import { beforeAll, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const CHECK_TIMEOUT_MS = 60_000;

const { check } = createRequire(import.meta.url)('recheck') as {
  check(
    pattern: string,
    flags: string,
    parameters: { timeout: number },
  ): Promise<{ status: 'safe' | 'vulnerable' | 'unknown'; complexity?: { summary: string } }>;
};

interface Found {
  readonly pattern: string;
  readonly flags: string;
  readonly file: string;
}

const literals: Found[] = [];
/**
 * Places where the source builds a regular expression at run time. The test fails if there are any, because the checker
 * sees only literals.
 */
const constructed: string[] = [];

beforeAll(async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => /\.(?:tsx?|c?js)$/.test(file));
  for (const file of files) {
    const { program, errors } = parseSync(file, await readFile(join(SRC, file), 'utf8'));
    expect(errors, file).toEqual([]);
    new Visitor({
      Literal(node) {
        if ('regex' in node) literals.push({ ...node.regex, file });
      },
      NewExpression: ({ callee }) => noteConstructed(callee, file),
      CallExpression: ({ callee, arguments: [first] }) => {
        noteConstructed(callee, file);
        // `match`, `matchAll` and `search` turn a string into a regular expression.
        const method = 'property' in callee && 'name' in callee.property ? String(callee.property.name) : '';
        if (['match', 'matchAll', 'search'].includes(method) && first?.type === 'TemplateLiteral')
          constructed.push(`${file}: ${method}`);
      },
    }).visit(program);
  }
});

function noteConstructed(callee: { type: string }, file: string): void {
  if ('name' in callee && callee.name === 'RegExp') constructed.push(`${file}: RegExp`);
}

test('every regular expression of the source is a literal, so that it can be checked', () => {
  expect(literals.length).toBeGreaterThan(100);
  expect(constructed).toEqual([]);
});

test('every regular expression of the source takes time linear in its input', {
  timeout: 240_000,
}, async () => {
  const slow: string[] = [];
  for (const { pattern, flags, file } of literals) {
    const { status, complexity } = await check(pattern, flags, { timeout: CHECK_TIMEOUT_MS });
    if (status !== 'safe') slow.push(`${file}: /${pattern}/${flags} ${complexity?.summary ?? status}`);
  }
  expect(slow).toEqual([]);
});

test('the checker `recheck` reports a regular expression whose time is quadratic in its input as vulnerable', async () => {
  const { status } = await check(String.raw`[\s\S]* at "(\w*)"; `, '', { timeout: CHECK_TIMEOUT_MS });

  expect(status).toBe('vulnerable');
});
