import { randomUUID } from 'node:crypto';
import { connect } from '@nats-io/transport-node';
import { expect } from 'vitest';
import type { NatsDoorbellTimings } from '../../src/feed/nats-doorbell.ts';
import { MAX_RING_MESSAGE_BYTES } from '../../src/feed/ring-message.ts';
import { MIN_MISSED_INTERVAL_MS } from '../../src/feed/ring-receiver.ts';
import { listenTo } from '../harness/doorbell-listener.ts';
import { atTheEnd, eventually } from '../harness/gateway.ts';
import { natsServerAt, natsTest, startNatsServer } from '../harness/nats.ts';
import { startHttpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { openOverNats } from './doorbells.ts';

const IMPATIENT: Partial<NatsDoorbellTimings> = { connectTimeoutMs: 300, probeEveryMs: 50, farewellMs: 100 };

/** Starts a TCP proxy to a NATS server. The proxy takes only HTTP URLs, so the scheme is replaced. */
async function wireTo(url: string): Promise<TcpProxy & { readonly servers: readonly string[] }> {
  const wire = await startHttpProxy(url.replace('nats', 'http'));
  return Object.assign(wire, { servers: [wire.url.replace('http', 'nats')] });
}

natsTest(
  'a NATS doorbell starts without a server; once it connects, it tells its listeners that they may have missed rings (notifications)',
  async () => {
    const server = await natsServerAt();
    const near = await openOverNats([server.url], { reachable: false });
    const far = await openOverNats([server.url], { reachable: false });
    const ears = [listenTo(near.doorbell), listenTo(far.doorbell)] as const;
    const session = randomUUID();

    near.doorbell.ring(session, 1);
    await eventually(async () => near.warnings.length > 1);
    expect(ears[0].rings).toEqual([[session, 1]]);
    await server.start();

    await eventually(async () => near.doorbell.connected && far.doorbell.connected);
    for (const ear of ears) expect(ear.misses).toBe(1);
    expect(near.warnings[0]).toContain('NATS connection lost');
  },
);

natsTest(
  'a NATS doorbell queues rings (notifications) while disconnected, and sends one per session, with the highest sequence, after the reconnect',
  async () => {
    const server = await startNatsServer();
    const wire = await wireTo(server.url);
    const [near, far] = [await openOverNats(wire.servers), await openOverNats([server.url])];
    const [here, there] = [listenTo(near.doorbell), listenTo(far.doorbell)];
    const sessions = Array.from({ length: 200 }, () => randomUUID());

    wire.cut();
    await eventually(async () => !near.doorbell.connected);
    for (const session of sessions) for (const sequence of [1, 3, 2]) near.doorbell.ring(session, sequence);
    expect(here.rings).toHaveLength(600);
    wire.mend();

    await eventually(async () => there.knowsOf(new Map(sessions.map((session) => [session, 3]))));
    expect(there).toMatchObject({ misses: 0 });
    expect(there.rings).toHaveLength(200);
    expect(here.misses).toBe(1);
  },
);

natsTest(
  'after rings (notifications) for 5,000 sessions while NATS is disconnected, other replicas learn only that they missed rings',
  async () => {
    const server = await startNatsServer();
    const wire = await wireTo(server.url);
    const [near, far] = [await openOverNats(wire.servers), await openOverNats([server.url])];
    const there = listenTo(far.doorbell);

    wire.cut();
    await eventually(async () => !near.doorbell.connected);
    for (let count = 0; count < 5_000; count += 1) near.doorbell.ring(randomUUID(), 1);
    wire.mend();

    await eventually(async () => there.misses > 0);
    expect(there).toMatchObject({ misses: 1, rings: [] });
  },
);

natsTest('a NATS message that was in flight when the connection died is sent again', async () => {
  const server = await startNatsServer();
  const wire = await wireTo(server.url);
  const near = await openOverNats(wire.servers, { timings: IMPATIENT });
  const far = await openOverNats([server.url]);
  const there = listenTo(far.doorbell);
  const session = randomUUID();

  wire.freeze();
  near.doorbell.ring(session, 1);
  await eventually(async () => !near.doorbell.connected);
  // Waits until new connections have failed, too: the frozen proxy accepts connections, but passes on no data.
  await eventually(async () => near.warnings.length >= 4);
  expect(wire.open).toBeLessThanOrEqual(1);
  expect(there.rings).toEqual([]);
  wire.mend();

  await eventually(async () => there.knowsOf(new Map([[session, 1]])));
});

natsTest('a replica gets no echo of its own rings (notifications) from the NATS server', async () => {
  const server = await startNatsServer();
  const [near, far] = [await openOverNats([server.url]), await openOverNats([server.url])];
  const [here, there] = [listenTo(near.doorbell), listenTo(far.doorbell)];
  const [own, other] = [randomUUID(), randomUUID()];

  near.doorbell.ring(own, 1);
  await eventually(async () => there.knowsOf(new Map([[own, 1]])));
  far.doorbell.ring(other, 1);
  await eventually(async () => here.knowsOf(new Map([[other, 1]])));

  expect(here.rings).toEqual([
    [own, 1],
    [other, 1],
  ]);
});

natsTest(
  'an invalid NATS message counts as a missed ring (notification), and causes no error; messages of other subjects are not received',
  async () => {
    const server = await startNatsServer();
    const [near, far] = [await openOverNats([server.url]), await openOverNats([server.url])];
    const stranger = await openOverNats([server.url], { subject: 'another.log' });
    const there = listenTo(far.doorbell);
    const client = await connect({ servers: [server.url] });
    atTheEnd(() => client.close());
    const [session, strange] = [randomUUID(), randomUUID()];

    for (const text of ['', 'nonsense', '{"from":"x","rings":[["a",-1]]}', '\u0000'])
      client.publish('test', text);
    await client.flush();
    stranger.doorbell.ring(strange, 1);
    near.doorbell.ring(session, 1);

    await eventually(async () => there.knowsOf(new Map([[session, 1]])));
    expect(there.rings).toEqual([[session, 1]]);
    expect(there.misses).toBeGreaterThan(0);
  },
);

natsTest(
  'a flood of invalid NATS messages counts as a few missed rings (notifications), and logs one warning',
  async () => {
    const server = await startNatsServer();
    let counted = 0;
    const near = await openOverNats([server.url]);
    const onUnreadableRing = () => {
      counted += 1;
    };
    const far = await openOverNats([server.url], { onUnreadableRing });
    const there = listenTo(far.doorbell);
    const client = await connect({ servers: [server.url] });
    atTheEnd(() => client.close());
    const session = randomUUID();
    const tooLarge = JSON.stringify({ from: 'x', rings: null, padding: ' '.repeat(MAX_RING_MESSAGE_BYTES) });

    const since = performance.now();
    for (let sent = 0; sent < 20_000; sent += 1) client.publish('test', sent % 100 ? 'garbage' : tooLarge);
    await client.flush();
    near.doorbell.ring(session, 1);
    await eventually(async () => there.knowsOf(new Map([[session, 1]])) && counted === 20_000);

    const intervals = (performance.now() - since) / MIN_MISSED_INTERVAL_MS;
    expect(there.misses).toBeGreaterThan(0);
    expect(there.misses).toBeLessThanOrEqual(intervals + 2);
    expect(far.warnings).toHaveLength(1);
    expect(far.warnings[0]).toContain('could not be parsed');
    expect(far.warnings[0]).not.toContain('garbage');
  },
);

natsTest(
  'a flood of NATS rings (notifications) for one session is combined: listeners get far fewer rings, the last with the highest sequence',
  async () => {
    const server = await startNatsServer();
    const far = await openOverNats([server.url]);
    const there = listenTo(far.doorbell);
    const client = await connect({ servers: [server.url] });
    atTheEnd(() => client.close());
    const session = randomUUID();

    for (let sequence = 1; sequence <= 20_000; sequence += 1)
      client.publish('test', JSON.stringify({ from: 'another', rings: [[session, sequence]] }));
    await client.flush();
    await eventually(async () => there.knowsOf(new Map([[session, 20_000]])));

    expect(there.rings.length).toBeLessThan(5_000);
  },
);

natsTest('a NATS doorbell with several servers connects if one of them is reachable', async () => {
  const [gone, server] = [await natsServerAt(), await startNatsServer()];
  const servers = [gone.url, server.url];

  const [near, far] = [await openOverNats(servers), await openOverNats(servers)];
  const there = listenTo(far.doorbell);
  const session = randomUUID();
  near.doorbell.ring(session, 1);

  await eventually(async () => there.knowsOf(new Map([[session, 1]])));
});

natsTest(
  'if NATS refuses the credentials, the NATS doorbell retries, and its warnings do not contain the password',
  async () => {
    const server = await startNatsServer(['--user', 'gateway', '--pass', 'pass%word']);
    const as = (credentials: string) => [server.url.replace('//', `//${credentials}@`)];

    const [good] = await Promise.all([openOverNats(as('gateway:pass%25word'))]);
    const bad = await openOverNats(as('gateway:not-the-secret'), { reachable: false });
    await eventually(async () => bad.warnings.length >= 3);

    expect(good.doorbell.connected).toBe(true);
    expect(bad.doorbell.connected).toBe(false);
    expect(bad.warnings[0]).toContain('uthorization');
    expect(bad.warnings.join()).not.toContain('not-the-secret');
  },
);

type Open = (timings?: Partial<NatsDoorbellTimings>) => ReturnType<typeof openOverNats>;

/** For each state of a NATS doorbell: brings a doorbell into the state, and returns a function that stops it. */
const PLIGHTS: Readonly<Record<string, (wire: TcpProxy, open: Open) => Promise<() => Promise<void>>>> = {
  async 'while connected'(_wire, open) {
    return (await open()).doorbell.stop;
  },
  async 'between attempts to connect'(wire, open) {
    const { doorbell } = await open({ firstRetryMs: 60_000, longestRetryMs: 60_000 });
    wire.cut();
    await eventually(async () => !doorbell.connected);
    return doorbell.stop;
  },
  async 'on a connection that is silently dead'(wire, open) {
    const { doorbell } = await open({ probeEveryMs: 60_000 });
    wire.freeze();
    return doorbell.stop;
  },
  async 'while a connection attempt gets no answer'(wire, open) {
    const { doorbell } = await open({ connectTimeoutMs: 60_000 });
    const before = wire.accepted;
    wire.freeze();
    await eventually(async () => !doorbell.connected && wire.accepted > before);
    return doorbell.stop;
  },
  async 'while a ring is being sent and gets no answer'(wire, open) {
    const { doorbell } = await open({ probeEveryMs: 60_000 });
    wire.freeze();
    doorbell.ring(randomUUID(), 1);
    return doorbell.stop;
  },
};

for (const [plight, bring] of Object.entries(PLIGHTS))
  natsTest(`a NATS doorbell stops within 2 s and leaves no connection: ${plight}`, async () => {
    const server = await startNatsServer();
    const wire = await wireTo(server.url);
    const stop = await bring(wire, (timings) =>
      openOverNats(wire.servers, { timings: { ...IMPATIENT, ...timings } }),
    );
    const before = performance.now();

    await stop();

    expect(performance.now() - before).toBeLessThan(2_000);
    await eventually(async () => wire.open === 0);
  });
