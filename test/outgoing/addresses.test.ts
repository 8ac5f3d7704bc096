import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import type { OutgoingMerchantEvent } from '../../src/domain/merchant-events.ts';
import { isPublicIpAddress, type ResolveAllAddresses } from '../../src/services/outgoing/public-address.ts';
import { EventSender } from '../../src/services/outgoing/send-event.ts';
import { atTheEnd } from '../harness/gateway.ts';
import { hang, type Receiver, SECRET, startReceiver } from '../harness/receiver.ts';

const EVENT: OutgoingMerchantEvent = { id: 'msg_1', type: 'endpoint.ping', body: '{"type":"endpoint.ping"}' };

const endpointAt = (url: string) => ({
  name: 'test',
  url,
  secrets: [SECRET],
  events: [],
  personalData: false,
});

function createSender(options: Partial<ConstructorParameters<typeof EventSender>[0]> = {}): EventSender {
  const sender = new EventSender({ allowedHosts: [], ...options });
  atTheEnd(async () => sender.stop());
  return sender;
}

const send = (sender: EventSender, url: string) => sender.send(endpointAt(url), EVENT, new Date());

/** Name server whose answers a test chooses. */
const resolvesTo =
  (...addresses: string[]): ResolveAllAddresses =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

// Invariant 22 of ARCHITECTURE.md
/** Addresses that an attacker would have the gateway call: each is one way to write an address inside the network. */
const INSIDE = [
  ...['127.0.0.1', '127.8.8.8', '0.0.0.0', '10.0.0.5', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '100.64.0.1', '192.0.0.170', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '::ffff:8.8.8.8', '::127.0.0.1'],
  ...['fe80::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '64:ff9b::7f00:1', '64:ff9b:1::a00:1'],
  ...['2002:7f00:1::', '2001::7f00:1', '2001:db8::1', '100::1', '::ffff:0:127.0.0.1'],
];

describe('the sender of merchant webhooks', () => {
  test.each(INSIDE)('refuses a host that resolves to %s, before a connection is opened', async (address) => {
    expect(isPublicIpAddress(address)).toBe(false);
    const sender = createSender({ resolve: resolvesTo(address) });

    expect(await send(sender, 'https://hooks.bank.example/vkyc')).toEqual({
      ...{ accepted: false, outcome: 'ADDRESS_REFUSED', retryAfterMs: 0 },
    });
  });

  test.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::200e'])(
    'takes %s for public',
    (address) => {
      expect(isPublicIpAddress(address)).toBe(true);
    },
  );

  test.each([
    ...[
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://017700000001/',
      'https://127.1/',
    ],
    ...[
      'https://[::1]/',
      'https://[::ffff:7f00:1]/',
      'https://169.254.169.254/latest/meta-data',
      'https://[fe80::1]/',
    ],
  ])('refuses %s, which needs no name server', async (url) => {
    expect((await send(createSender(), url)).outcome).toBe('ADDRESS_REFUSED');
  });

  test('refuses a name that has a public and a private address, whichever comes first', async () => {
    for (const addresses of [
      ['8.8.8.8', '10.0.0.5'],
      ['10.0.0.5', '8.8.8.8'],
    ])
      expect(
        (await send(createSender({ resolve: resolvesTo(...addresses) }), 'https://mixed.example/')).outcome,
      ).toBe('ADDRESS_REFUSED');
  });

  test('resolves a name once for each connection, so that a second answer of the name server gains nothing', async () => {
    const receiver = await startReceiver();
    const answers = ['127.0.0.1', '10.0.0.5'];
    let asked = 0;
    const sender = createSender({
      allowedHosts: ['rebinding.example'],
      resolve: (host, options, done) => resolvesTo(answers[asked++] as string)(host, options, done),
    });
    const url = receiver.url.replace('127.0.0.1', 'rebinding.example');

    expect((await send(sender, url)).outcome).toBe('HTTP 200');
    expect((await send(sender, url)).outcome).toBe('HTTP 200');
    // The second delivery used the connection of the first: the name was resolved, and checked, once.
    expect(asked).toBe(1);
  });

  test('refuses plain http, except to hosts that are allowed', async () => {
    const receiver = await startReceiver();

    expect(
      (await send(createSender({ resolve: resolvesTo('8.8.8.8') }), 'http://hooks.bank.example/')).outcome,
    ).toBe('ADDRESS_REFUSED');
    expect((await send(createSender(), receiver.url)).outcome).toBe('ADDRESS_REFUSED');
    expect(receiver.received).toEqual([]);
    expect((await send(createSender({ allowedHosts: ['127.0.0.1'] }), receiver.url)).outcome).toBe(
      'HTTP 200',
    );
  });
});

describe('an answer that is not 2xx', () => {
  const allowed = { allowedHosts: ['127.0.0.1'] };
  const redirectTo =
    (target: Receiver): Parameters<Receiver['answer']>[0] =>
    (_delivery, response) => {
      response.writeHead(307, { location: target.url }).end();
      return undefined;
    };

  test('a redirect is a failure, and is not followed', async () => {
    const [receiver, inside] = [await startReceiver(), await startReceiver()];
    receiver.answer(redirectTo(inside));

    expect(await send(createSender(allowed), receiver.url)).toMatchObject({
      accepted: false,
      outcome: 'HTTP 307',
    });
    expect(inside.received).toEqual([]);
  });

  test('a receiver that hangs is given up after the timeout, also if it sends a byte now and then', async () => {
    const receiver = await startReceiver();
    const sender = createSender({ ...allowed, answerTimeoutMs: 100 });
    receiver.answer(hang);
    expect((await send(sender, receiver.url)).outcome).toBe('TIMEOUT');

    receiver.answer((_delivery, response) => {
      const drip = setInterval(() => response.socket?.write('H'), 10);
      response.socket?.on('close', () => clearInterval(drip));
      return undefined;
    });
    expect(await send(sender, receiver.url)).toMatchObject({ accepted: false });
  });

  test('an answer without an end is not read to its end', async () => {
    const receiver = await startReceiver();
    const written = new Promise<number>((resolve) => {
      receiver.answer((_delivery, response) => {
        let bytes = 0;
        const pour = () => {
          for (;;) {
            bytes += 65_536;
            if (!response.write(Buffer.alloc(65_536))) break;
          }
          response.once('drain', pour);
        };
        response.on('close', () => resolve(bytes));
        response.writeHead(200);
        pour();
        return undefined;
      });
    });

    expect((await send(createSender(allowed), receiver.url)).outcome).toBe('HTTP 200');
    expect(await written).toBeLessThan(20_000_000);
  });

  test('a receiver that is not there, or resets the connection, is named by the code of the error', async () => {
    const receiver = await startReceiver();
    receiver.answer((_delivery, { socket }) => {
      socket?.resetAndDestroy();
      return undefined;
    });

    expect((await send(createSender(allowed), receiver.url)).outcome).toBe('ECONNRESET');
    expect((await send(createSender(allowed), 'http://127.0.0.1:1/')).outcome).toBe('ECONNREFUSED');
  });
});
