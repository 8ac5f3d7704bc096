/** Failures to start that the operator can mend: what was found and what to do, in place of a stack trace. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Config, StartError } from './config.ts';

type SystemError = NodeJS.ErrnoException & { readonly port?: number };

/** @throws StartError naming the setting, if the gateway or its sandbox could not listen at its port */
export async function checkPorts({ host, port, provider }: Config): Promise<void> {
  await checkPort('PORT', host, port);
  if (provider.kind === 'SANDBOX') await checkPort('SANDBOX_PORT', '127.0.0.1', provider.port);
}

/** @throws StartError naming the setting, if nothing can listen there; 0 is any free port */
export async function checkPort(setting: string, host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    throw new StartError(explainListening(error as SystemError, setting, host, port));
  }
  probe.close();
  await once(probe, 'close');
}

function explainListening({ code, message }: SystemError, setting: string, host: string, port: number) {
  if (code === 'EADDRINUSE')
    return (
      `${setting}: port ${port} of ${host} is taken by another program, maybe another gateway.\n` +
      `Stop that one, or choose another port: ${setting}=${port + 1} npm start`
    );
  if (code === 'EACCES')
    return `${setting}: port ${port} is reserved for the system's own services. Choose one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `HOST: ${host} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of its addresses.`;
  return `${setting}: cannot listen at port ${port} of ${host} (${message}).`;
}

/** Returns what to do about a failure to start, or null if it is one that no operator can mend. */
export function explainStartFailure(error: unknown, _config: Config | null): string | null {
  if (error instanceof StartError) return error.message;
  return null;
}
