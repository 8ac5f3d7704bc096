/** Mail servers: real SMTP servers, whose answers a test chooses. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { atTheEnd } from './gateway.ts';

/** E-mail as a mail server got it. */
export interface ReceivedMail {
  readonly to: readonly string[];
  /** Headers and body as they were sent. */
  readonly raw: string;
  readonly messageId: string;
  /** Body as a reader sees it. */
  readonly text: string;
}

export interface MailServer {
  /** Settings that make a gateway send e-mails by this server. */
  readonly settings: { readonly SMTP_URL: string; readonly SMTP_FROM: string };
  /** E-mails that were accepted. */
  readonly accepted: ReceivedMail[];
  /** Attempts, also those that were refused. */
  attempts: number;
  /** Refuses each recipient with this code from now on; null: accepts all. */
  refuse(code: number | null): void;
  /** Answers no recipient any more. */
  hang(): void;
}

/** Starts a mail server that accepts all e-mails of a user with a password. */
export async function startMailServer(): Promise<MailServer> {
  let code: number | null = null;
  let hangs = false;
  const mails: MailServer = {
    settings: { SMTP_URL: '', SMTP_FROM: 'Example Bank <kyc@bank.example>' },
    accepted: [],
    attempts: 0,
    refuse(next) {
      code = next;
    },
    hang() {
      hangs = true;
    },
  };
  const server = new SMTPServer({
    ...{ allowInsecureAuth: true, disabledCommands: ['STARTTLS'], logger: false, closeTimeout: 100 },
    onAuth: ({ username, password }, _session, done) =>
      password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong password')),
    onRcptTo({ address }, _session, done) {
      mails.attempts += 1;
      if (hangs) return;
      if (code === null) return done();
      done(Object.assign(new Error(`no mailbox ${address}`), { responseCode: code }));
    },
    async onData(stream, session, done) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks).toString('utf8');
      const to = session.envelope.rcptTo.map(({ address }) => address);
      mails.accepted.push({ to, raw, ...parse(raw) });
      done();
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  atTheEnd(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return Object.assign(mails, {
    settings: { ...mails.settings, SMTP_URL: `smtp://kyc:p%40ss@127.0.0.1:${port}` },
  });
}

function parse(raw: string): Pick<ReceivedMail, 'messageId' | 'text'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const encoding = head.match(/^content-transfer-encoding: *(\S+)/im)?.[1]?.toLowerCase();
  const decoded =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString('utf8')
      : encoding === 'quoted-printable'
        ? decodeQuotedPrintable(body)
        : body;
  return {
    messageId: head.match(/^message-id: *(\S+)/im)?.[1] ?? '',
    text: decoded.replaceAll('\r\n', '\n').trim(),
  };
}

const decodeQuotedPrintable = (body: string): string =>
  Buffer.from(
    body
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
