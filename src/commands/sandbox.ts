/** `npm run sandbox`: runs the provider sandbox alone, for any client of the provider's API. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, formatSettingErrors } from '../config.ts';
import { systemClock } from '../domain/ports.ts';
import { port } from '../environment.ts';
import { SANDBOX_CREDENTIALS_TEXT, startSandbox } from '../sandbox/sandbox.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

const text = z.string().trim().min(1);
const environment = z.object({
  HOST: z.enum(['127.0.0.1', '::1', 'localhost'], 'must be a loopback address').default('127.0.0.1'),
  SANDBOX_PORT: port.default(4010),
  SANDBOX_SPEED: z.coerce.number().positive().default(1),
  SANDBOX_WEBHOOKS: z.enum(['every-status', 'documented']).default('every-status'),
  SANDBOX_SEED: text.default('sandbox'),
  SANDBOX_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  SANDBOX_CALLS_PER_MINUTE: z.coerce.number().int().min(1).optional(),
  DATA_DIR: text.default('.data'),
});

try {
  const env = settings();
  const sandbox = await startSandbox({
    host: env.HOST,
    port: env.SANDBOX_PORT,
    clock: systemClock,
    speed: env.SANDBOX_SPEED,
    webhooks: env.SANDBOX_WEBHOOKS,
    seed: env.SANDBOX_SEED,
    callsPerMinute: env.SANDBOX_CALLS_PER_MINUTE ?? null,
    journalFile: resolve(env.DATA_DIR, 'sandbox.jsonl'),
  });
  if (env.SANDBOX_WEBHOOK_URL) sandbox.deliverTo(env.SANDBOX_WEBHOOK_URL);
  const lines = [
    `The sandbox listens at   ${sandbox.baseUrl}`,
    `Credentials              ${SANDBOX_CREDENTIALS_TEXT}`,
    `Webhooks go to           ${env.SANDBOX_WEBHOOK_URL ?? 'no address yet: set SANDBOX_WEBHOOK_URL'}`,
    `Scenarios and faults at  ${new URL('/_sandbox', sandbox.baseUrl)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const signal of SIGNALS) process.once(signal, () => void sandbox.stop());
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function settings(): z.infer<typeof environment> {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(formatSettingErrors(parsed.error, given));
}
