import { describe, expect, test } from 'vitest';
import { findTemplateProblem } from '../../src/domain/templates.ts';

const templates = [
  { id: 'vkyc_user_template_v1', title: 'Aadhaar and video call' },
  { id: 'acme_v2', title: 'Of the account' },
];

describe('findTemplateProblem', () => {
  test.each(['', 'nonsense', 'ACME_V2', 'acme_v2 ', 'acme_v2\u200b', 'आधार', '\u0007'])(
    'if the list of templates is complete, %j is refused, and the message names the list',
    (name) => {
      expect(findTemplateProblem(name, { templates, complete: true })).toBe(
        'must be one of these templates: vkyc_user_template_v1, acme_v2',
      );
    },
  );

  test('if the list of templates is incomplete, any name without control characters and invisible characters is accepted', () => {
    const list = { templates, complete: false };

    for (const name of ['acme_v2', 'nonsense', 'Vorlage Ü 1', 'आधार', '🦄'])
      expect(findTemplateProblem(name, list), name).toBeNull();
    for (const name of ['a\u0007', 'a\nb', 'acme_v2\u200b', '\u202eacme', 'a\u007f'])
      expect(findTemplateProblem(name, list), name).toBe(
        'must not contain control characters or invisible characters',
      );
    expect(findTemplateProblem('', list)).toBe(
      "must not be empty: leave it out to use the provider's default",
    );
  });

  test('a template of the list is accepted even if its name contains invisible characters', () => {
    const odd = { templates: [{ id: '\u200bodd', title: 'Odd' }], complete: false };

    expect(findTemplateProblem('\u200bodd', odd)).toBeNull();
  });
});
