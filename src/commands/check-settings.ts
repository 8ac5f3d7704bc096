/** Checks the settings of `npm start` before the minute that a build may take. */
import { readConfig } from '../config.ts';
import { checkPorts } from '../start-failures.ts';

/** @throws StartError naming what must be set or freed */
export async function checkSettings(variables: NodeJS.ProcessEnv): Promise<void> {
  await checkPorts(readConfig(variables));
}
