/**
 * Sets HOME for a user that /etc/passwd does not list, as is common in containers. graphile-worker reads the
 * home folder when it is loaded and fails without one, so import this module before it.
 */
import { homedir } from 'node:os';

try {
  homedir();
} catch {
  process.env.HOME = '/';
}
