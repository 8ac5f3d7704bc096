import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const KEYS = `k1:${Buffer.alloc(32).toString('base64')}`;
const PROVIDER = {
  CASHFREE_BASE_URL: 'https://sandbox.cashfree.com/verification',
  CASHFREE_CLIENT_ID: 'id',
  CASHFREE_CLIENT_SECRET: 'new-secret, old-secret',
};
const SIGN_IN = { AUTH_SECRET: 'x'.repeat(32) };
/** Returns a random key, as a production configuration needs. */
const random = () => `k1:${randomBytes(32).toString('base64')}`;
const SAFE = {
  NODE_ENV: 'production',
  AUTH_SECRET: randomBytes(32).toString('base64'),
  AUTH_ISSUER: 'https://issuer.example.com',
  AUTH_AUDIENCE: 'vkyc',
  DATA_KEYS: random(),
  AUDIT_KEYS: random(),
};
const SAFE_PROVIDER = {
  ...PROVIDER,
  CASHFREE_CLIENT_SECRET: 'cfsk_ma_test_0f8e1b7c2d9a46e3b5c70a18d4f29e63_5b1c8a7d',
  DATABASE_URL: 'postgres://db/vkyc',
};

const complaints = (environment: Record<string, string>): string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).issues.map((complaint) => complaint.split(':')[0] as string);
  }
};

test('without any setting the gateway runs in development mode: with the sandbox, the embedded database and a loopback address', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    database: { kind: 'EMBEDDED' },
    provider: { kind: 'SANDBOX', port: 4010, webhooks: 'every-status' },
    signIn: { kind: 'DEVELOPMENT' },
  });
});

test('without a sign-in setting the gateway starts only in development, on a loopback address and with the sandbox', () => {
  expect(complaints({ HOST: '0.0.0.0' })).toEqual(['AUTH_SECRET or AUTH_JWKS_URL']);
  expect(complaints({ ...PROVIDER, DATA_KEYS: KEYS, AUDIT_KEYS: KEYS })).toEqual([
    'AUTH_SECRET or AUTH_JWKS_URL',
  ]);
  expect(complaints({ NODE_ENV: 'production' })).toContain('AUTH_SECRET or AUTH_JWKS_URL');
  expect(complaints({ HOST: '0.0.0.0', ...SIGN_IN })).toEqual([]);
});

test('in production the sandbox is used only if SANDBOX is set, and the embedded database only if EMBEDDED_POSTGRES is set', () => {
  expect(complaints(SAFE)).toEqual([
    'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET',
    'DATABASE_URL',
    'NODE_ENV',
  ]);
  expect(complaints({ ...SAFE, SANDBOX: '1', EMBEDDED_POSTGRES: '1' })).toEqual([]);
  expect(complaints({ ...SAFE, ...SAFE_PROVIDER })).toEqual([]);
});

test('MIGRATE_DATABASE_URL and LISTEN_DATABASE_URL default to DATABASE_URL, and are refused if DATABASE_URL is missing', () => {
  const [url, listenUrl] = ['postgres://pooler:6432/vkyc', 'postgres://db/vkyc'];

  expect(readConfig({ DATABASE_URL: url }).database).toMatchObject({ url, migrateUrl: url, listenUrl: url });
  expect(readConfig({ DATABASE_URL: url, LISTEN_DATABASE_URL: listenUrl }).database).toMatchObject({
    url,
    migrateUrl: url,
    listenUrl,
  });
  expect(complaints({ LISTEN_DATABASE_URL: listenUrl })).toEqual(['DATABASE_URL']);
  expect(complaints({ MIGRATE_DATABASE_URL: listenUrl })).toEqual(['DATABASE_URL']);
});

test('CASHFREE_CLIENT_SECRET lists several secrets, in their order', () => {
  const config = readConfig({ ...PROVIDER, ...SIGN_IN, DATA_KEYS: KEYS, AUDIT_KEYS: KEYS });
  expect(config.provider).toMatchObject({ kind: 'CASHFREE', secrets: ['new-secret', 'old-secret'] });
});

test('readConfig reports all invalid settings in one error', () => {
  expect(() =>
    readConfig({ PORT: 'http', LOG_LEVEL: 'loud', AUTH_SECRET: 'short', DATA_KEYS: 'k1:abc' }),
  ).toThrow(ConfigError);
  expect(
    complaints({ PORT: 'http', LOG_LEVEL: 'loud', AUTH_SECRET: 'short', DATA_KEYS: 'k1:abc' }).toSorted(),
  ).toEqual(['AUTH_SECRET', 'DATA_KEYS', 'LOG_LEVEL', 'PORT']);
});

test('traces are exported if OTEL_EXPORTER_OTLP_ENDPOINT names a collector, unless OTEL_SDK_DISABLED is set', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';

  expect(readConfig({}).tracing).toBe(false);
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT }).tracing).toBe(true);
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' }).tracing).toBe(false);
  expect(complaints({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toEqual(['OTEL_EXPORTER_OTLP_ENDPOINT']);
});

test('TRUST_PROXY takes a number of proxies or their addresses, and refuses to trust every address', () => {
  expect(readConfig({}).trustedProxies).toBe(0);
  expect(readConfig({ TRUST_PROXY: '2' }).trustedProxies).toBe(2);
  expect(readConfig({ TRUST_PROXY: '10.0.0.0/8, ::1' }).trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  for (const TRUST_PROXY of ['true', '*', '-1', '99', '10.0.0.0/33', 'proxy.example.com', '0/0'])
    expect(complaints({ TRUST_PROXY }), TRUST_PROXY).toEqual(['TRUST_PROXY']);
});

test('NATS_URL takes a list of URLs, and an error about NATS_URL does not contain the credentials of a URL', () => {
  const NATS_URL = 'nats://one:4222, tls://user:pass@two.example.com';
  expect(readConfig({}).natsServers).toBeNull();
  expect(readConfig({ NATS_URL }).natsServers).toEqual(NATS_URL.split(', '));
  for (const wrong of ['one:4222', 'http://user:pass@one', 'nats://', 'nats://one, two'])
    expect(complaints({ NATS_URL: wrong }), wrong).toEqual(['NATS_URL']);
  expect(() => readConfig({ NATS_URL: 'http://user:pass@one' })).toThrow(/NATS_URL: (?!.*pass@one)/);
});

test('an error about a setting shows the value that was found, unless the setting may hold a secret', () => {
  const complaint = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
      return '';
    } catch (error) {
      return (error as ConfigError).issues.join('\n');
    }
  };

  expect(complaint({ PORT: 'abc' })).toBe('PORT: must be a port, from 0 to 65535 (found "abc")');
  expect(complaint({ SANDBOX_PORT: '70000' })).toContain('(found "70000")');
  expect(complaint({ SHUTDOWN_SECONDS: 'soon' })).toBe('SHUTDOWN_SECONDS: must be a number (found "soon")');
  expect(complaint({ LOG_LEVEL: 'loud' })).toContain('(found "loud")');
  for (const [name, value] of Object.entries({
    AUTH_SECRET: 'hunter2',
    DATA_KEYS: 'hunter2',
    NATS_URL: 'http://me:hunter2@one',
    CASHFREE_BASE_URL: 'hunter2',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'hunter2',
  }))
    expect(complaint({ [name]: value }), name).not.toContain('hunter2');
});

describe('notifications of customers', () => {
  const MAIL = { SMTP_URL: 'smtps://kyc:hunter2@mail.bank.example', SMTP_FROM: 'Bank <kyc@bank.example>' };
  const complaint = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
      return '';
    } catch (error) {
      return (error as ConfigError).issues.join('\n');
    }
  };

  test('are off by default, and read from the settings', () => {
    expect(readConfig({}).notifications).toEqual({
      ...{ automatic: [], quietHours: null, reminderMinutes: null, locale: 'EN' },
      ...{ timeZone: 'Asia/Kolkata', smtp: null },
    });
    const settings = {
      ...{ ...MAIL, NOTIFICATIONS: 'LINK, DECISION', NOTIFICATION_QUIET_HOURS: '21:00-08:00' },
      ...{ NOTIFICATION_REMINDER_MINUTES: '60', NOTIFICATION_LOCALE: 'HI' },
    };
    expect(readConfig(settings).notifications).toEqual({
      ...{ automatic: ['LINK', 'DECISION'], reminderMinutes: 60, locale: 'HI', timeZone: 'Asia/Kolkata' },
      quietHours: { from: 1_260, to: 480, timeZone: 'Asia/Kolkata' },
      smtp: { url: MAIL.SMTP_URL, from: MAIL.SMTP_FROM, requiresTls: true },
    });
    const local = readConfig({ ...MAIL, SMTP_URL: 'smtp://127.0.0.1:2525' });
    expect(local.notifications.smtp?.requiresTls).toBe(false);
    const remote = readConfig({ ...MAIL, SMTP_URL: 'smtp://[2606:4700::1111]' });
    expect(remote.notifications.smtp?.requiresTls).toBe(true);
  });

  test.each([
    [{ NOTIFICATIONS: 'LINK' }, 'no notification can be sent. Set SMTP_URL, or an endpoint'],
    [{ NOTIFICATION_REMINDER_MINUTES: '60' }, 'no notification can be sent'],
    [
      { ...MAIL, NOTIFICATIONS: 'LINK,RETRY' },
      'names a kind that does not exist; the kinds are LINK, MEETING_BOOKED',
    ],
    [{ NOTIFICATION_QUIET_HOURS: '21-8' }, 'must be two different times of the day, such as 21:00-08:00'],
    [{ NOTIFICATION_QUIET_HOURS: '21:00-25:00' }, 'must be two different times of the day'],
    [{ NOTIFICATION_QUIET_HOURS: '00:00-24:00' }, 'must be two different times of the day'],
    [{ NOTIFICATION_LOCALE: 'FR' }, 'NOTIFICATION_LOCALE: '],
    [{ SMTP_URL: MAIL.SMTP_URL }, 'SMTP_URL, SMTP_FROM: only one is set'],
    [{ SMTP_FROM: MAIL.SMTP_FROM }, 'SMTP_URL, SMTP_FROM: only one is set'],
    [{ ...MAIL, SMTP_URL: 'https://hunter2.example' }, 'is not the URL of a mail server, such as smtps://'],
    [{ ...MAIL, SMTP_FROM: 'Bank' }, 'SMTP_FROM: must be an e-mail address'],
    [{ ...MAIL, SMTP_FROM: 'a@b.example\r\nBcc: c@d.example' }, 'SMTP_FROM: must be an e-mail address'],
  ])('%j is refused with what to set, without secrets', (environment, problem) => {
    expect(complaint(environment)).toContain(problem);
    expect(complaint(environment)).not.toContain('hunter2');
  });
});

describe('WEBHOOK_ENDPOINTS', () => {
  const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
  const ENDPOINT = {
    ...{ name: 'core', url: 'https://hooks.bank.example/vkyc', secrets: [SECRET] },
    events: ['session.transitioned'],
  };
  const complaint = (endpoints: unknown, more: Record<string, string> = {}): string => {
    try {
      readConfig({ WEBHOOK_ENDPOINTS: JSON.stringify(endpoints), ...more });
      return '';
    } catch (error) {
      return (error as ConfigError).issues.join('\n');
    }
  };

  test('names the receivers of merchant webhooks; without it, none are sent', () => {
    expect(readConfig({}).merchantWebhooks).toBeNull();
    const WEBHOOK_ENDPOINTS = JSON.stringify([{ ...ENDPOINT, personalData: false }]);
    expect(readConfig({ WEBHOOK_ENDPOINTS }).merchantWebhooks).toEqual({
      ...{ endpoints: [{ ...ENDPOINT, personalData: false }], allowedHosts: [] },
    });
    const all = readConfig({ WEBHOOK_ENDPOINTS: JSON.stringify([{ ...ENDPOINT, events: ['*'] }]) });
    expect(all.merchantWebhooks?.endpoints[0]?.events).toContain('review.recorded');
  });

  test.each([
    [{ ...ENDPOINT, name: 'Core Banking' }, 'entry 1 needs a "name" of up to 40 lower-case letters'],
    [{ ...ENDPOINT, url: 'ftp://hooks.bank.example' }, 'entry 1 needs a "url" that begins with https://'],
    [{ ...ENDPOINT, url: 'https://me:hunter2@hooks.bank.example' }, 'without user, password or fragment'],
    [{ ...ENDPOINT, secrets: [] }, 'entry 1 needs at least one secret'],
    [{ ...ENDPOINT, secrets: ['whsec_c2hvcnQ='] }, 'entry 1 has a secret that is not whsec_ and base64'],
    [{ ...ENDPOINT, secrets: ['hunter2'] }, 'entry 1 has a secret that is not whsec_ and base64'],
    [{ ...ENDPOINT, events: ['session.created'] }, 'entry 1 names an event that does not exist'],
    [{ ...ENDPOINT, personalData: 'yes' }, 'entry 1 has "personalData", which must be true or false'],
    [{ ...ENDPOINT, secret: SECRET }, 'entry 1 has the unknown key "secret"'],
    ['https://hooks.bank.example', 'entry 1 must be an object'],
  ])('entry %j is refused with what is wrong, without its values', (endpoint, problem) => {
    const found = complaint([endpoint]);

    expect(found).toContain(`WEBHOOK_ENDPOINTS: `);
    expect(found).toContain(problem);
    expect(found).not.toMatch(/hunter2|c2hvcnQ/);
  });

  test('two endpoints cannot have one name', () => {
    expect(complaint([ENDPOINT, ENDPOINT])).toContain('entry 2 has the same name as an earlier entry');
  });

  test('a URL with http or a private address is refused, unless WEBHOOK_ALLOWED_HOSTS names its host', () => {
    for (const url of [
      'http://hooks.bank.example/',
      'https://10.0.0.5/',
      'https://[::1]/',
      'https://localhost/',
    ]) {
      const endpoint = { ...ENDPOINT, url };
      expect(complaint([endpoint]), url).toContain(
        'the URL of core uses http, or an address that is not public',
      );
      const WEBHOOK_ALLOWED_HOSTS = new URL(url).hostname.replace(/[[\]]/g, '');
      expect(complaint([endpoint], { WEBHOOK_ALLOWED_HOSTS }), url).toBe('');
    }
    expect(complaint([ENDPOINT], { WEBHOOK_ALLOWED_HOSTS: 'https://localhost' })).toContain(
      'WEBHOOK_ALLOWED_HOSTS',
    );
    expect(complaints({ WEBHOOK_ALLOWED_HOSTS: 'localhost' })).toEqual(['WEBHOOK_ALLOWED_HOSTS']);
  });
});

test('PORT and SANDBOX_PORT must differ', () => {
  expect(complaints({ PORT: '4010' })).toEqual(['PORT, SANDBOX_PORT']);
  expect(complaints({ PORT: '0', SANDBOX_PORT: '0' })).toEqual([]);
});

test('logs are text at a terminal and JSON elsewhere, unless LOG_FORMAT sets another format', () => {
  expect(readConfig({}).logFormat).toBe('json');
  expect(readConfig({}, { terminal: true }).logFormat).toBe('text');
  expect(readConfig({ LOG_FORMAT: 'json' }, { terminal: true }).logFormat).toBe('json');
  expect(readConfig({ LOG_FORMAT: 'text' }).logFormat).toBe('text');
});

test.each([
  ['no issuer', { AUTH_ISSUER: '' }, 'AUTH_ISSUER, AUTH_AUDIENCE'],
  ['no audience', { AUTH_AUDIENCE: '' }, 'AUTH_ISSUER, AUTH_AUDIENCE'],
  ['a secret of one repeated letter', { AUTH_SECRET: 'x'.repeat(40) }, 'AUTH_SECRET'],
  ['a secret that counts up', { AUTH_SECRET: 'abcdefghijklmnopqrstuvwxyz0123456789' }, 'AUTH_SECRET'],
  ['a secret that repeats', { AUTH_SECRET: 'k3y!'.repeat(12) }, 'AUTH_SECRET'],
  ['a secret of words', { AUTH_SECRET: 'please-change-me-before-you-go-to-production' }, 'AUTH_SECRET'],
  ['a secret of known words', { AUTH_SECRET: 'mysupersecretjwtsigningkey123456789' }, 'AUTH_SECRET'],
  ['a key of zeros', { DATA_KEYS: KEYS }, 'DATA_KEYS'],
  [
    'a key that is text',
    { AUDIT_KEYS: `a:${Buffer.from('this is 32 characters of a text!').toString('base64')}` },
    'AUDIT_KEYS',
  ],
  [
    'a key that counts up',
    { DATA_KEYS: `a:${Buffer.from([...Array(32).keys()]).toString('base64')}` },
    'DATA_KEYS',
  ],
  ['one id for two keys', { DATA_KEYS: `${random()}, ${random()}` }, 'DATA_KEYS'],
  ['a JWKS URL over plain HTTP', { AUTH_SECRET: '', AUTH_JWKS_URL: 'http://issuer/jwks' }, 'AUTH_JWKS_URL'],
  ['a JWKS URL that is a file', { AUTH_SECRET: '', AUTH_JWKS_URL: 'file:///etc/jwks' }, 'AUTH_JWKS_URL'],
  ['a provider over plain HTTP', { CASHFREE_BASE_URL: 'http://provider.example.com/' }, 'CASHFREE_BASE_URL'],
  ['a webhook secret that is a word', { CASHFREE_CLIENT_SECRET: 'hunter2' }, 'CASHFREE_CLIENT_SECRET'],
  ['a sandbox next to a real provider', { SANDBOX: '1' }, 'SANDBOX'],
  ['all of IPv4 as proxies', { TRUST_PROXY: '0.0.0.0/0' }, 'TRUST_PROXY'],
  ['half of IPv4 as proxies', { TRUST_PROXY: '128.0.0.0/1' }, 'TRUST_PROXY'],
  ['all of IPv6 as proxies', { TRUST_PROXY: '::/0' }, 'TRUST_PROXY'],
  ['all of IPv4, mapped to IPv6, as proxies', { TRUST_PROXY: '::ffff:0:0/96' }, 'TRUST_PROXY'],
  ['any origin', { ALLOWED_ORIGINS: '*' }, 'ALLOWED_ORIGINS'],
])('production refuses %s, and the error names the setting', (_what, wrong, setting) => {
  expect(complaints({ ...SAFE, ...SAFE_PROVIDER })).toEqual([]);

  expect(complaints({ ...SAFE, ...SAFE_PROVIDER, ...wrong })[0]).toBe(setting);
});

test('in production plain HTTP URLs are accepted only with ALLOW_PLAIN_HTTP', () => {
  const plain = { AUTH_SECRET: '', AUTH_JWKS_URL: 'http://issuer/jwks', CASHFREE_BASE_URL: 'http://stub/' };
  expect(complaints({ ...SAFE, ...SAFE_PROVIDER, ...plain, ALLOW_PLAIN_HTTP: '1' })).toEqual([]);
});

test('TRUST_PROXY accepts networks in CIDR notation, and NODE_ENV may spell production as Production or prod', () => {
  for (const TRUST_PROXY of ['10.0.0.0/8', 'fc00::/7', '2001:db8::/32', '::ffff:10.0.0.0/104'])
    expect(complaints({ TRUST_PROXY }), TRUST_PROXY).toEqual([]);
  for (const NODE_ENV of ['Production', ' production', 'prod'])
    expect(complaints({ NODE_ENV })).toContain('DATA_KEYS');
});

test('a public database without TLS, or a database password that can be guessed, causes a warning that does not contain the URL', () => {
  const warnings = (DATABASE_URL: string) =>
    readConfig({ ...SAFE, ...SAFE_PROVIDER, DATABASE_URL }).warnings.join();

  expect(warnings('postgres://u:Xk29fj3Lq8sPz0@db.example.com/v')).toMatch(
    /DATABASE_URL.*may be unencrypted/,
  );
  expect(warnings('postgres://u:Xk29fj3Lq8sPz0@db.example.com/v?sslmode=require')).toBe('');
  for (const host of ['10.1.2.3', 'db', '[::1]', 'db.internal'])
    expect(warnings(`postgres://u:Xk29fj3Lq8sPz0@${host}/v`), host).toBe('');
  expect(warnings('postgres://postgres:postgres@db/v')).toContain('can be guessed');
});

describe('templates, Aadhaar, deadlines and leases', () => {
  const complaint = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
      return '';
    } catch (error) {
      return (error as ConfigError).issues.join('\n').replace(/ \(found .*\)$/, '');
    }
  };
  const template = { id: 'acme', title: 'Ours', steps: ['Sign in', 'Video call'] };

  test('templates and holidays are optional, and Aadhaar details may be three working days old by default', () => {
    expect(readConfig({})).toMatchObject({
      templates: { user: null, agent: null },
      aadhaarMaxAgeDays: 3,
      holidays: [],
    });
    expect(
      readConfig({
        USER_TEMPLATES: JSON.stringify([template]),
        AGENT_TEMPLATES: '[{"id": " acme ", "title": "Ours"}]',
        AADHAAR_MAX_AGE_DAYS: '5',
        HOLIDAYS: '2026-10-02, 2028-02-29',
      }),
    ).toMatchObject({
      templates: { user: [template], agent: [{ id: 'acme', title: 'Ours' }] },
      aadhaarMaxAgeDays: 5,
      holidays: ['2026-10-02', '2028-02-29'],
    });
  });

  test.each([
    ['no JSON', 'vkyc_user_template_v1', 'must be a JSON list of 1 to 20 templates'],
    ['an object', template, 'must be a JSON list of 1 to 20 templates'],
    ['an empty list', [], 'must be a JSON list of 1 to 20 templates'],
    ['21 templates', Array(21).fill(template), 'must be a JSON list of 1 to 20 templates'],
    ['a name alone', ['acme'], 'entry 1 must be an object with the keys id, title, steps'],
    ['no id', [{ ...template, id: undefined }], 'entry 1 needs an "id", which must be a text'],
    ['an id that is a number', [{ ...template, id: 1 }], 'entry 1 needs an "id", which must be a text'],
    ['a blank id', [{ ...template, id: ' ' }], 'entry 1 needs an "id" that is not empty'],
    [
      'a long title',
      [{ ...template, title: 'x'.repeat(201) }],
      'entry 1 has a "title" of more than 200 characters',
    ],
    [
      'an id of two lines',
      [{ ...template, id: 'a\nb' }],
      'entry 1 has an "id" with control characters or invisible characters',
    ],
    [
      'an invisible id',
      [{ ...template, id: '\u200b' }],
      'entry 1 has an "id" with control characters or invisible characters',
    ],
    [
      'half a surrogate pair',
      [{ ...template, title: '\ud83d' }],
      'entry 1 has a "title" with control characters or invisible characters',
    ],
    ['no steps', [{ ...template, steps: undefined }], 'entry 1 needs "steps", which must be a list of texts'],
    ['an empty list of steps', [{ ...template, steps: [] }], 'entry 1 needs at least one step'],
    ['a step that is no text', [{ ...template, steps: [1] }], 'entry 1 needs a step, which must be a text'],
    [
      'a misspelt key',
      [template, { ...template, id: 'b', step: [] }],
      'entry 2 has the unknown key "step"; the keys are id, title, steps',
    ],
    [
      'an id twice',
      [template, { ...template, title: 'Other' }],
      'entry 2 has the same id as an earlier entry',
    ],
  ])('USER_TEMPLATES with %s is refused with the entry and what to change', (_what, value, expected) => {
    const USER_TEMPLATES = typeof value === 'string' ? value : JSON.stringify(value);

    expect(complaint({ USER_TEMPLATES })).toBe(`USER_TEMPLATES: ${expected}`);
  });

  test('AGENT_TEMPLATES refuses entries with steps, because the provider publishes no steps for agent templates', () => {
    expect(complaint({ AGENT_TEMPLATES: JSON.stringify([template]) })).toBe(
      'AGENT_TEMPLATES: entry 1 has the unknown key "steps"; the keys are id, title',
    );
  });

  test('without MEETING_HOURS there is no calendar; with them slots last 30 minutes in India unless set', () => {
    expect(readConfig({ HOLIDAYS: '2026-12-25' }).calendar).toBeNull();
    const given = { MEETING_HOURS: 'Fri-Sun 09:00-13:00, sat 14:00-24:00', MEETING_CAPACITY: '3' };
    expect(readConfig({ ...given, HOLIDAYS: '2026-12-25' }).calendar).toEqual({
      hours: [
        { weekday: 5, opensAt: 540, closesAt: 780 },
        { weekday: 6, opensAt: 540, closesAt: 780 },
        { weekday: 0, opensAt: 540, closesAt: 780 },
        { weekday: 6, opensAt: 840, closesAt: 1440 },
      ],
      slotMinutes: 30,
      capacity: 3,
      timeZone: 'Asia/Kolkata',
      holidays: new Set(['2026-12-25']),
    });
    expect(
      readConfig({ ...given, MEETING_SLOT_MINUTES: '45', MEETING_TIME_ZONE: 'Europe/London' }).calendar,
    ).toMatchObject({ slotMinutes: 45, timeZone: 'Europe/London' });
  });

  const FORM = 'must be weekdays and times, such as Mon-Fri 09:00-18:00,Sat 10:00-14:00';
  test.each([
    ['no times', 'Mon-Fri', FORM],
    ['no weekday', '09:00-18:00', FORM],
    ['an hour without minutes', 'Mon 9-18', FORM],
    ['three times', 'Mon 09:00-12:00-18:00', FORM],
    ['an empty entry', 'Mon 09:00-18:00,', FORM],
    ['a semicolon', 'Mon 09:00-18:00;Tue 09:00-18:00', FORM],
    [
      'a German weekday',
      'Mon 09:00-18:00,Die 09:00-18:00',
      'entry 2 has the unknown weekday Die; the weekdays are Sun, Mon, Tue, Wed, Thu, Fri, Sat',
    ],
    ['an hour 25', 'Mon 09:00-25:00', 'entry 1 has the time 25:00, which does not exist'],
    ['a minute 60', 'Mon 09:60-18:00', 'entry 1 has the time 09:60, which does not exist'],
    ['a time after 24:00', 'Mon 09:00-24:01', 'entry 1 has the time 24:01, which does not exist'],
    [
      'hours past midnight',
      'Mon 22:00-06:00',
      'entry 1 does not end after it begins; split hours past midnight at 24:00',
    ],
    [
      'empty hours',
      'Mon 09:00-09:00',
      'entry 1 does not end after it begins; split hours past midnight at 24:00',
    ],
    ['hours that overlap', 'Mon-Fri 09:00-13:00,Wed 12:59-18:00', 'has two entries that overlap on Wed'],
  ])('MEETING_HOURS with %s are refused with what to change', (_what, MEETING_HOURS, expected) => {
    expect(complaint({ MEETING_HOURS, MEETING_CAPACITY: '1' })).toBe(`MEETING_HOURS: ${expected}`);
  });

  test('each setting of the calendar is checked at the start, by itself and with the others', () => {
    const hours = { MEETING_HOURS: 'Mon-Fri 09:00-18:00', MEETING_CAPACITY: '2' };
    for (const MEETING_SLOT_MINUTES of ['4', '481', '7.5', 'half an hour'])
      expect(complaints({ ...hours, MEETING_SLOT_MINUTES })).toEqual(['MEETING_SLOT_MINUTES']);
    for (const MEETING_CAPACITY of ['0', '-1', '1.5', '10001', 'all'])
      expect(complaints({ ...hours, MEETING_CAPACITY })).toEqual(['MEETING_CAPACITY']);
    for (const MEETING_TIME_ZONE of ['IST5', 'Asia/Mumbai', 'Kolkata'])
      expect(complaint({ ...hours, MEETING_TIME_ZONE })).toBe(
        'MEETING_TIME_ZONE: is not the name of a time zone, such as Asia/Kolkata',
      );

    expect(complaints({ MEETING_HOURS: hours.MEETING_HOURS })).toEqual(['MEETING_CAPACITY']);
    expect(complaints({ MEETING_CAPACITY: '2', MEETING_TIME_ZONE: 'UTC' })).toEqual([
      'MEETING_CAPACITY',
      'MEETING_TIME_ZONE',
    ]);
    expect(complaint({ ...hours, MEETING_HOURS: 'Mon 09:00-10:00', MEETING_SLOT_MINUTES: '61' })).toBe(
      'MEETING_HOURS, MEETING_SLOT_MINUTES: some hours are shorter than a slot of 61 minutes, so that no meeting fits in. Change one of them.',
    );
  });

  test('AADHAAR_MAX_AGE_DAYS must be 1 to 366, and HOLIDAYS must be days that exist', () => {
    for (const AADHAAR_MAX_AGE_DAYS of ['0', '-1', '1.5', '367', 'three'])
      expect(complaints({ AADHAAR_MAX_AGE_DAYS }), AADHAAR_MAX_AGE_DAYS).toEqual(['AADHAAR_MAX_AGE_DAYS']);
    for (const HOLIDAYS of ['2026-02-29', '02-10-2026', '2026-10-02;2026-10-03', 'Diwali'])
      expect(complaint({ HOLIDAYS }), HOLIDAYS).toBe(
        'HOLIDAYS: must be days as YYYY-MM-DD, separated by commas',
      );
  });

  test('DEADLINES names sub-statuses and parties with minutes, and says what is wrong with an entry', () => {
    expect(readConfig({ DEADLINES: 'AGENT=30, USER_QUEUED = 10' }).deadlines).toEqual({
      AGENT: 30,
      USER_QUEUED: 10,
    });
    expect(readConfig({}).deadlines).toEqual({});
    expect(complaint({ DEADLINES: 'AGENT=30,NOBODY=5' })).toMatch(
      /names "NOBODY", which is neither a sub-status of a session under way nor a party/,
    );
    expect(complaint({ DEADLINES: 'AGENT=1,AGENT=2' })).toMatch(/names AGENT twice/);
    for (const minutes of ['', '0', '-5', '1.5', 'ten', '525601', '1e3'])
      expect(complaint({ DEADLINES: `AGENT=${minutes}` }), minutes).toMatch(
        /must give AGENT a whole number of minutes, from 1 to 525600/,
      );
  });

  test('CLAIM_LEASE_MINUTES must be 1 to 1440', () => {
    for (const CLAIM_LEASE_MINUTES of ['0', '1.5', '1441', 'ten'])
      expect(complaints({ CLAIM_LEASE_MINUTES }), CLAIM_LEASE_MINUTES).toEqual(['CLAIM_LEASE_MINUTES']);
  });
});
