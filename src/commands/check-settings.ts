/**
 * Checks the settings of `npm start` before the build, so that a wrong setting is reported immediately and
 * not after a build of up to a minute.
 */
import { readConfig } from '../config.ts';
import { assertPortsFree } from '../start-failures.ts';

/**
 * Checks that the settings are valid and the ports are free.
 * @throws an error that names the setting or the port
 */
export async function checkSettings(variables: NodeJS.ProcessEnv): Promise<void> {
  await assertPortsFree(readConfig(variables));
}
