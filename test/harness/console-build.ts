/** Before tests in a browser: builds the console's page, which the gateway serves only where it is built. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export default async function setup(): Promise<void> {
  // As it is released: of React there is another build for tests.
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)('node', ['node_modules/vite/bin/vite.js', 'build', 'src/console'], { env });
}
