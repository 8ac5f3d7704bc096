/** Test helper: a real browser, if one is installed. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { test } from 'vitest';
import { atTheEnd } from './gateway.ts';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM ?? CANDIDATES.find((path) => existsSync(path));

if (!executablePath)
  process.stderr.write('No Chromium on this machine (set CHROMIUM to one): the browser tests are SKIPPED.\n');

/** Defines a test that needs a browser. Without a browser it is reported as skipped, never as passed. */
export const browserTest = test.skipIf(!executablePath);

let browser: Promise<Browser> | null = null;

/**
 * Opens an empty page. Requests to other machines fail, as if offline; `strangers` lists the URLs of these requests.
 */
export async function openPage(): Promise<{ page: Page; strangers: string[] }> {
  browser ??= chromium.launch({
    executablePath: executablePath as string,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = await (await browser).newPage();
  const strangers: string[] = [];
  await page.route('**/*', (route) => {
    const { protocol, hostname } = new URL(route.request().url());
    if (protocol === 'blob:' || hostname === '127.0.0.1') return route.continue();
    strangers.push(route.request().url());
    return route.abort();
  });
  atTheEnd(async () => {
    await page.close();
    await (await browser)?.close();
    browser = null;
  });
  return { page, strangers };
}
