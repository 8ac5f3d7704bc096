import { createTransport, type Transporter } from 'nodemailer';

/** E-mail to a customer. */
export interface Mail {
  /** Same for each attempt, so that a mail server can recognise one that it has already accepted. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** BCP 47 tag of the language. */
  readonly language: string;
}

/** Result of one attempt to send an e-mail. */
export interface MailResult {
  readonly accepted: boolean;
  /** Whether another attempt would fail too: the mail server refused for good. */
  readonly permanent: boolean;
  /** Code without content of the answer, such as `SMTP 550` or `ETIMEDOUT`. */
  readonly outcome: string;
}

/** Time in which the mail server must answer each step. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Code of a network or TLS error, which is free of personal data. */
const ERROR_CODE = /^[A-Z][A-Z0-9_]{1,60}$/;

/** Sends e-mails by one mail server. */
export class Mailer {
  readonly #transport: Transporter;
  readonly #from: string;
  readonly #domain: string;

  /** `requireTls`: no e-mail is sent, and no password, unless the connection is encrypted. */
  constructor({
    url,
    from,
    requireTls,
  }: { readonly url: string; readonly from: string; readonly requireTls: boolean }) {
    this.#from = from;
    this.#domain = from.replace(/^.*@/, '').replace(/>$/, '');
    const { protocol, hostname, port, username, password } = new URL(url);
    const isTls = protocol === 'smtps:';
    this.#transport = createTransport({
      ...{ host: hostname.replace(/^\[|\]$/g, ''), secure: isTls, requireTLS: requireTls, logger: false },
      port: Number(port) || (isTls ? 465 : 587),
      ...(username
        ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
        : {}),
      ...{ connectionTimeout: ANSWER_TIMEOUT_MS, greetingTimeout: ANSWER_TIMEOUT_MS },
      socketTimeout: ANSWER_TIMEOUT_MS,
      ...{ disableFileAccess: true, disableUrlAccess: true },
    });
  }

  /** Sends an e-mail. Never rejects. */
  async send({ id, to, subject, text, language }: Mail): Promise<MailResult> {
    try {
      await this.#transport.sendMail({
        ...{ from: this.#from, subject, text },
        // As an object, because a list of addresses in the text would be parsed.
        to: { name: '', address: to },
        messageId: `<${id}@${this.#domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': language },
      });
      return { accepted: true, permanent: false, outcome: 'SMTP 250' };
    } catch (error) {
      return toFailure(error);
    }
  }

  stop(): void {
    this.#transport.close();
  }
}

/** Reads the code of a failure. The message is left out, because it may repeat the address. */
function toFailure(error: unknown): MailResult {
  const { responseCode, code } = error as { readonly responseCode?: unknown; readonly code?: unknown };
  if (typeof responseCode === 'number')
    return { accepted: false, permanent: responseCode >= 500, outcome: `SMTP ${responseCode}` };
  const known = typeof code === 'string' && ERROR_CODE.test(code) ? code : 'CONNECTION_FAILED';
  // Without a usable recipient there is nothing to repeat.
  return { accepted: false, permanent: known === 'EENVELOPE', outcome: known };
}
