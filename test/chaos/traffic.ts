/** Generates constant traffic at the gateways: webhooks, staff actions, new sessions and queries. */
import { randomUUID } from 'node:crypto';
import { parseGlobalId, toGlobalId } from '../../src/graphql/node.ts';
import { createSeededRandom, type SeededRandom } from '../../src/sandbox/seeded-random.ts';
import { burstOf, CUSTOMER, type News, newsOf, sendUntilTaken } from '../harness/news.ts';
import { inMinutes } from '../harness/people.ts';
import { pause } from './trouble.ts';
import { oneOf } from './wishes.ts';
import type { World } from './world.ts';

/** Work that gateways acknowledged. The test compares it with the database at the end. */
export interface Done {
  readonly news: News[];
  /** Database ids of booked meetings; `started` has the verification ids of started sessions. */
  readonly meetings: string[];
  readonly started: string[];
  refused: number;
  looks: number;
  /** Answers that neither of the two releases under test may give. */
  readonly wrong: string[];
}

interface Plan {
  readonly seed: string;
  /** Number of provider updates generated per session, more than the test has time to send. */
  readonly newsEach: number;
  /** Milliseconds between two actions of one client. */
  readonly paceMs: number;
}

const ACTORS = 4;
const RETRY_MS = 50;
const BOOK = `mutation ($input: ScheduleMeetingInput!) { result: scheduleMeeting(input: $input) {
  __typename ... on ScheduleMeetingSuccess { meeting { id } session { id } } ... on MutationError { code } } }`;
const CANCEL = `mutation ($input: CancelMeetingInput!) { result: cancelMeeting(input: $input) {
  __typename ... on CancelMeetingSuccess { meeting { id } } ... on MutationError { code } } }`;
const START = `mutation ($input: StartSessionInput!) { result: startSession(input: $input) {
  __typename ... on StartSessionSuccess { session { verificationId } } ... on MutationError { code } } }`;
const LOOK = `{ sessions(first: 20) { nodes { id version status subStatus
  transitions(last: 1) { nodes { sequence } } meeting { id } reviews { id } } } }`;

/** Starts the traffic; `end` stops it, and waits for requests in flight. */
export function startTraffic(
  world: World,
  { seed, newsEach, paceMs }: Plan,
): { done: Done; end(): Promise<void> } {
  const done: Done = { news: [], meetings: [], started: [], refused: 0, looks: 0, wrong: [] };
  let going = true;
  const random = (actor: string) => createSeededRandom('traffic', seed, actor);

  /** Sends a call until it is answered, each time with the same input, so that a retry has no second effect. */
  async function ask(query: string, variables: object = {}): Promise<any> {
    for (;;) {
      const url = await world.reachable();
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      }).catch(() => null);
      const answer: any = await response?.json().catch(() => null);
      // A gateway that still starts says so. The proxy forwards to it all the same, unlike a load balancer, which asks
      // `/readyz`.
      if (response?.status === 503) {
        await pause(RETRY_MS);
        continue;
      }
      if (answer?.errors) done.wrong.push(JSON.stringify(answer.errors));
      if (answer?.data) return answer.data;
    }
  }

  const all = world.sessions.flatMap(({ verificationId }) =>
    newsOf(verificationId, random('news'), newsEach),
  );
  const sent = new Map(all.map((news) => [keyOf(news), news]));
  const bodies = burstOf(all, random('burst'));
  const sendNews = async (own: SeededRandom) => {
    for (let body = bodies.pop(); body !== undefined && going; body = bodies.pop()) {
      await sendUntilTaken(body, world.reachable);
      const { event_time: eventTime, data } = JSON.parse(body);
      const { verification_id: verificationId, status, sub_status: subStatus } = data;
      done.news.push(sent.get(keyOf({ verificationId, status, subStatus, eventTime })) as News);
      await pause(own.between(0, paceMs * 2));
    }
  };

  const act = async (own: SeededRandom) => {
    while (going) {
      const sessionId = toGlobalId('VkycSession', oneOf(world.sessions, own).id);
      const input = { sessionId, idempotencyKey: randomUUID() };
      const startsAt = inMinutes(own.integer(30, 600));
      const { result } = await ask(BOOK, { input: { ...input, startsAt } });
      if (result.__typename === 'ScheduleMeetingSuccess')
        done.meetings.push(parseGlobalId(result.meeting.id)?.key as string);
      else done.refused += 1;
      if (own.chance(0.5)) await ask(CANCEL, { input: { ...input, reason: 'Another time.' } });
      await pause(own.between(0, paceMs * 4));
    }
  };

  const start = async (own: SeededRandom) => {
    for (let number = 0; going; number += 1) {
      const user = { userId: CUSTOMER.user_id, phone: CUSTOMER.phone };
      const { result } = await ask(START, { input: { verificationId: `later.${number}`, user } });
      if (result.__typename === 'StartSessionSuccess') done.started.push(result.session.verificationId);
      else done.wrong.push(JSON.stringify(result));
      await pause(own.between(0, paceMs * 8));
    }
  };

  const look = async (own: SeededRandom) => {
    while (going) {
      await ask(LOOK);
      done.looks += 1;
      await pause(own.between(0, paceMs * 4));
    }
  };

  const over = Promise.all([
    ...Array.from({ length: ACTORS }, (_, index) => sendNews(random(`webhooks ${index}`))),
    ...Array.from({ length: ACTORS }, (_, index) => act(random(`staff ${index}`))),
    start(random('starts')),
    look(random('looks')),
  ]);
  return {
    done,
    async end() {
      going = false;
      await over;
    },
  };
}

const keyOf = ({ verificationId, status, subStatus, eventTime }: News): string =>
  [verificationId, status, subStatus, eventTime].join(' ');
