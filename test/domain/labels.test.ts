import { describe, expect, test } from 'vitest';
import {
  applyLabelChange,
  areSameLabels,
  buildLabelsAuditContent,
  hasLabels,
  NO_LABELS,
} from '../../src/domain/labels.ts';

const before = { metadata: { branch: 'Pune', channel: 'web' }, tags: ['gold', 'new'] };

describe('applyLabelChange', () => {
  test('sets and deletes the pairs and tags that the change names, and keeps all others', () => {
    const change = {
      metadata: [{ key: 'channel', value: 'app' }, { key: 'branch', value: '' }, { key: 'area' }],
      addTags: ['vip', 'gold'],
      removeTags: ['new', 'unknown'],
    };
    expect(applyLabelChange(before, change)).toEqual({ metadata: { channel: 'app' }, tags: ['gold', 'vip'] });
    expect(applyLabelChange(before, { metadata: [{ key: 'branch', value: null }] }).metadata).toEqual({
      channel: 'web',
    });
    expect(applyLabelChange(before, {})).toEqual(before);
  });

  test('sorts keys and tags, so that the order of a call does not matter', () => {
    const { metadata, tags } = applyLabelChange(NO_LABELS, {
      metadata: [
        { key: 'b', value: '1' },
        { key: 'a', value: '2' },
      ],
      addTags: ['y', 'x'],
    });
    expect([Object.keys(metadata), tags]).toEqual([
      ['a', 'b'],
      ['x', 'y'],
    ]);
  });

  test('treats names of the language, such as __proto__, as any other key', () => {
    const { metadata } = applyLabelChange(NO_LABELS, { metadata: [{ key: '__proto__', value: 'x' }] });
    expect(JSON.stringify(metadata)).toBe('{"__proto__":"x"}');
  });
});

test('buildLabelsAuditContent and areSameLabels do not depend on the order of keys and tags', () => {
  const other = { metadata: { channel: 'web', branch: 'Pune' }, tags: ['new', 'gold'] };

  expect(buildLabelsAuditContent(other)).toEqual({
    metadata: '[["branch","Pune"],["channel","web"]]',
    tags: '["gold","new"]',
  });
  expect(areSameLabels(before, other)).toBe(true);
  expect(areSameLabels(before, { ...other, tags: [] })).toBe(false);
  expect(areSameLabels(before, { ...other, metadata: {} })).toBe(false);
});

test('hasLabels is false only without any pair and any tag', () => {
  expect(hasLabels(NO_LABELS)).toBe(false);
  expect(hasLabels({ metadata: { a: 'b' }, tags: [] })).toBe(true);
  expect(hasLabels({ metadata: {}, tags: ['a'] })).toBe(true);
});
