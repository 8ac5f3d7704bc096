import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

/** Names that every object of JavaScript inherits: a look-up by one of them finds a function instead of nothing. */
const INHERITED = ['toString', 'constructor', 'hasOwnProperty', 'valueOf', '__proto__'];

test('names that every object inherits are refused or mean nothing, wherever a query may have a name of the client', async () => {
  const gateway = await bootGateway();
  await gateway.start('named');

  for (const name of INHERITED) {
    const id = Buffer.from(`${name}:x`).toString('base64url');
    const ask = async (query: string, variables?: object) => {
      const answers = [];
      // Twice: the gateway compiles a query when it is used for the second time.
      for (let use = 1; use <= 2; use++) answers.push(await gateway.graphql(query, variables));
      expect(answers[1]).toEqual(answers[0]);
      return answers[0] as (typeof answers)[number];
    };
    const listed = { sessions: { nodes: [{ verificationId: 'named' }] } };

    expect((await ask(`{ session(id: "${id}") { id } }`)).errors).toMatchObject([
      {
        message: expect.stringContaining('not issued by this gateway'),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    expect((await ask(`{ node(id: "${id}") { id } nodes(ids: ["${id}"]) { id } }`)).data).toEqual({
      node: null,
      nodes: [null],
    });
    const nodes = 'nodes { verificationId }';
    const unset = `query ($${name}: String) { sessions(first: 1, filter: { userId: $${name} }) { ${nodes} } }`;
    expect((await ask(unset)).data).toEqual(listed);
    const pageSize = `query ($${name}: Int = 1) { sessions(first: $${name}) { ${nodes} } }`;
    expect((await ask(pageSize)).data).toEqual(listed);
    const fragment = `{ sessions(first: 1) { nodes { ...${name} } } } fragment ${name} on VkycSession { verificationId }`;
    expect((await ask(fragment)).data).toEqual(listed);
    const byName =
      'query ($wanted: [Status!]) { sessions(first: 1, filter: { status: $wanted }) { nodes { id } } }';
    expect((await ask(byName, { wanted: [name] })).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  }

  expect(gateway.logs.join('')).not.toContain('TypeError');
});
