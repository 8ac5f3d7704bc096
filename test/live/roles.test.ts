import { type GraphQLObjectType, getNamedType } from 'graphql';
import { expect, test } from 'vitest';
import { FIELD_RULES, findFieldRule } from '../../src/domain/access.ts';
import { call, everythingOf, fieldsOf, routesFrom, schema } from '../harness/everything.ts';
import { bootMarked, CALLERS, type Caller } from '../harness/marked.ts';

const marked = await bootMarked();
const { gateway, own, other, look, headersOf } = marked;
const subscriptions = fieldsOf(schema.getSubscriptionType() as GraphQLObjectType);
const isPersonal = (type: string, field: string) =>
  'personal' in FIELD_RULES[findFieldRule(type, field) ?? 'OPEN'];

const TRANSPORTS = {
  WebSocket: (query: string, caller: Caller) => gateway.subscribe(query, {}, headersOf(caller)),
  SSE: (query: string, caller: Caller) => gateway.stream(query, {}, headersOf(caller)),
};

for (const [transport, over] of Object.entries(TRANSPORTS)) {
  /** Subscribes as a caller. Returns the first frames, or the error code if the gateway refuses the subscription. */
  const framesOf = async (caller: Caller, query: string, count = 1): Promise<any> => {
    const stream = over(query, caller);
    try {
      const frames = await stream.take(count);
      look(caller, frames, query);
      return frames;
    } catch (error) {
      return (error as { extensions?: { code: string } }).extensions?.code ?? error;
    } finally {
      await stream.stop();
    }
  };

  test(`${transport}: every subscription, with any argument and field, sends each role only what the role may see`, {
    timeout: 60_000,
  }, async () => {
    const given = { ...own, status: undefined, subStatus: undefined };
    for (const field of subscriptions) {
      const everything = everythingOf(getNamedType(field.type), 3, { first: 20 }, isPersonal);
      const wanted = field.args.map(({ name }) => name);
      const calls = [
        `${call(field, given, wanted)} ${everything}`,
        ...wanted.map((name) => `${call(field, given, ['after', name])} { __typename }`),
      ];
      for (const written of calls)
        for (const caller of CALLERS) {
          const frames = await framesOf(caller, `subscription { ${written} }`);
          if (caller === 'NONE') expect(frames).toBe('FORBIDDEN');
          else expect(frames, `${caller}: ${written}`).toHaveLength(1);
        }
    }
    expect(marked.seen('CUSTOMER', 'StatusTransition', 'actor').every((actor) => actor === null)).toBe(true);
    expect(marked.seen('VIEWER', 'StatusTransition', 'actor')).toContain('developer');
  });

  test(`${transport}: a customer cannot subscribe to another customer's session`, async () => {
    for (const field of subscriptions.filter(({ args }) => args.some(({ name }) => name === 'sessionId'))) {
      const query = `subscription { ${call(field, other, ['sessionId', 'after'])} { __typename } }`;

      expect(await framesOf('CUSTOMER', query)).toBe('BAD_USER_INPUT');
      expect(await framesOf('VIEWER', query)).toHaveLength(1);
    }
  });

  test(`${transport}: selecting personal data in a subscription is forbidden for every role`, {
    timeout: 60_000,
  }, async () => {
    const transitions = subscriptions.find(({ name }) => name === 'statusTransitions')!;
    const begin = { before: `subscription { ${call(transitions, own, ['after'])} {`, behind: '} }' };
    const routes = routesFrom(getNamedType(transitions.type) as GraphQLObjectType, begin, { first: 20 });
    const asked: string[] = [];
    for (const [name, { before, behind }] of routes)
      for (const field of fieldsOf(schema.getType(name) as GraphQLObjectType).filter((each) =>
        isPersonal(name, each.name),
      ))
        for (const caller of CALLERS.filter((each) => each !== 'NONE')) {
          asked.push(`${name}.${field.name}`);
          const frames = await framesOf(caller, `${before} ${field.name} ${behind}`);
          expect(frames, `${caller}: ${name}.${field.name}`).toBe('FORBIDDEN');
        }
    expect(asked).toEqual(expect.arrayContaining(['VkycSession.link', 'VkycUser.phone', 'Review.remarks']));
  });
}
