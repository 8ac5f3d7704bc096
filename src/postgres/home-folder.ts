/**
 * Sets HOME if the user is not listed in /etc/passwd, as is common in containers. graphile-worker reads the
 * home folder when it is loaded and fails without one, so import this module before graphile-worker.
 */
import { homedir } from 'node:os';

try {
  homedir();
} catch {
  process.env.HOME = '/';
}
