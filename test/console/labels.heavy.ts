/** Stories of staff who read and change the labels of a session in the console. */
import { expect } from 'vitest';
import { faultsOf } from '../harness/accessibility.ts';
import { staffOf } from '../harness/acting.ts';
import { browserTest } from '../harness/browser.ts';
import { openConsole } from '../harness/console.ts';
import { bootGateway } from '../harness/gateway.ts';

browserTest(
  'an operator edits the labels of a session: only what differs is sent, so that labels which another user adds at the same time stay',
  async () => {
    const gateway = await bootGateway();
    const { ravi } = await staffOf(gateway);
    const { id } = await gateway.start('labelled.1', {
      metadata: [
        { key: 'branch', value: 'Pune' },
        { key: 'loan', value: '42' },
        { key: 'x=y', value: 'z' },
      ],
      tags: ['gold', 'new'],
    });
    const window = await openConsole(gateway, { as: 'OPERATOR' });
    await window.page.goto(`${gateway.url}/console/sessions/${id}`);
    await window.live();
    const card = window.page.getByRole('region', { name: 'Labels' });
    await card.getByText('Pune').waitFor();

    await window.button('Edit labels').click();
    await window.dialog.waitFor();
    await ravi.act('labelSession', id, { addTags: ['from Ravi'] });
    await card.getByText('from Ravi').waitFor();
    await window.field('Tags').fill('gold\nvip');
    await window.field('Metadata').fill('x=y=z\nloan = 43\nformula=a=b');
    expect(await faultsOf(window, 'Edit labels')).toEqual([]);
    await window.press('Save labels');

    await card.getByText('a=b').waitFor();
    const { metadata, tags } = await ravi.query(
      'query ($id: ID!) { result: session(id: $id) { metadata { key value } tags } }',
      { id },
    );
    expect(tags).toEqual(['from Ravi', 'gold', 'vip']);
    expect(metadata).toEqual([
      { key: 'formula', value: 'a=b' },
      { key: 'loan', value: '43' },
      { key: 'x=y', value: 'z' },
    ]);
    await window.page.getByText('It records that staff changed the metadata or the tags').first().waitFor();
    expect(await card.getByText('Pune').count()).toBe(0);
    expect(window.complaints).toEqual([]);
  },
);

browserTest('a viewer sees the labels of a session, without a button to edit them', async () => {
  const gateway = await bootGateway();
  const { id } = await gateway.start('labelled.2', { tags: ['gold'] });
  const window = await openConsole(gateway, { as: 'VIEWER' });
  await window.page.goto(`${gateway.url}/console/sessions/${id}`);
  await window.live();

  await window.page.getByRole('region', { name: 'Labels' }).getByText('gold').waitFor();
  expect(await window.button('Edit labels').count()).toBe(0);
});
