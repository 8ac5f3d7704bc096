/** Checks the settings of `npm start` before the build, which may take a minute. */
import { readConfig } from '../config.ts';
import { checkPorts } from '../start-failures.ts';

/**
 * Checks that the settings are valid and the ports are free.
 *
 * @throws StartError that names the setting or the port
 */
export async function checkSettings(variables: NodeJS.ProcessEnv): Promise<void> {
  await checkPorts(readConfig(variables));
}
