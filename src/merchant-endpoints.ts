/** Parses WEBHOOK_ENDPOINTS, the endpoints that merchant webhooks are sent to. */
import { z } from 'zod';
import { ALL_EVENT_TYPES, type EventType, type MerchantEndpoint } from './domain/merchant-events.ts';

const MAX_ENDPOINTS = 20;
const MAX_SECRETS = 5;
const MAX_URL_CHARACTERS = 1_000;
const SECRET_BYTES = { min: 24, max: 64 };
const KEYS = 'name, url, secrets, events and personalData';
const ALL = '*';

const isSecret = (value: string): boolean => {
  const [, base64 = ''] = value.match(/^whsec_([A-Za-z0-9+/]+={0,2})$/) ?? [];
  const { length } = Buffer.from(base64, 'base64');
  return base64.length % 4 === 0 && length >= SECRET_BYTES.min && length <= SECRET_BYTES.max;
};

const isUsableUrl = (value: string): boolean => {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, hash } = new URL(value);
  return /^https?:$/.test(protocol) && `${username}${password}${hash}` === '';
};

const endpoint = z.strictObject(
  {
    name: z
      .string('needs a "name", which must be a text')
      .regex(
        /^[a-z0-9][a-z0-9-]{0,39}$/,
        'needs a "name" of up to 40 lower-case letters, digits and hyphens',
      ),
    url: z
      .string('needs a "url", which must be a text')
      .max(MAX_URL_CHARACTERS, `has a "url" of more than ${MAX_URL_CHARACTERS} characters`)
      .refine(isUsableUrl, 'needs a "url" that begins with https://, without user, password or fragment'),
    secrets: z
      .array(
        z
          .string('has a secret that is not a text')
          .refine(
            isSecret,
            `has a secret that is not whsec_ and base64 of ${SECRET_BYTES.min} to ${SECRET_BYTES.max} bytes, such as the output of: echo "whsec_$(openssl rand -base64 32)"`,
          ),
        'needs "secrets", which must be a list of texts, the newest first',
      )
      .min(1, 'needs at least one secret')
      .max(MAX_SECRETS, `has more than ${MAX_SECRETS} secrets`),
    events: z
      .array(
        z.enum([...ALL_EVENT_TYPES, ALL], {
          error: `names an event that does not exist; the events are ${ALL_EVENT_TYPES.join(', ')}, or "${ALL}" for all`,
        }),
        'needs "events", which must be a list of texts',
      )
      .min(1, 'needs at least one event'),
    personalData: z.boolean('has "personalData", which must be true or false').default(false),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has the unknown key ${JSON.stringify(issue.keys?.[0])}; the keys are ${KEYS}`
        : `must be an object with the keys ${KEYS}`,
  },
);

/**
 * Parses the JSON list of endpoints. Returns the problem as a text that follows the name of the setting, without the
 * values, which may be secrets.
 */
export function parseMerchantEndpoints(value: string): MerchantEndpoint[] | { readonly problem: string } {
  let given: unknown;
  try {
    given = JSON.parse(value);
  } catch {
    given = null;
  }
  if (!Array.isArray(given) || given.length < 1 || given.length > MAX_ENDPOINTS)
    return { problem: `must be a JSON list of 1 to ${MAX_ENDPOINTS} endpoints` };
  const endpoints: MerchantEndpoint[] = [];
  for (const [index, each] of given.entries()) {
    const parsed = endpoint.safeParse(each);
    if (!parsed.success) return { problem: `entry ${index + 1} ${parsed.error.issues[0]?.message}` };
    const { name, url, secrets, events, personalData } = parsed.data;
    if (endpoints.some((earlier) => earlier.name === name))
      return { problem: `entry ${index + 1} has the same name as an earlier entry` };
    endpoints.push({ ...{ name, url, secrets, personalData }, events: toEventTypes(events) });
  }
  return endpoints;
}

const toEventTypes = (names: readonly (EventType | typeof ALL)[]): readonly EventType[] =>
  ALL_EVENT_TYPES.filter((type) => names.includes(ALL) || names.includes(type));
