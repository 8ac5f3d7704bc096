/**
 * Gives a home folder to a user whom /etc/passwd does not list, as containers often run as. graphile-worker looks for one
 * when it is loaded, and fails without: so this module must be imported before it.
 */
import { homedir } from 'node:os';

try {
  homedir();
} catch {
  process.env.HOME = '/';
}
