/** The texts of the console: no English outside of them, and Hindi for all that the gateway says. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';
import { ROLES, type Role } from '../../src/domain/access.ts';
import {
  type ActionFacts,
  ALL_SESSION_ACTIONS,
  findReviewDecisionDenial,
  findSessionActionDenial,
} from '../../src/domain/actions.ts';
import { VERDICTS } from '../../src/domain/session.ts';
import { ALL_PAIRS, CIRCUMSTANCES } from '../../src/domain/status.ts';
import { importConsole } from './in-node.ts';

const CONSOLE = 'src/console';
const { hindi } = await importConsole('language/hindi/index.ts');

interface Node {
  readonly type: string;
  readonly [name: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const listChildren = (node: Node): Node[] =>
  Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode));

/** Names that are the same in each language. */
const NAMES = ['VKYC'];

/** Attributes whose texts users read or hear. */
const READ = ['aria-label', 'title', 'placeholder', 'alt', 'label', 'hint', 'what', 'about', 'caption'];

/** Whether a place shows each text that is written there (SEEN), or may as well have names and keys (CODE). */
type Place = 'SEEN' | 'CODE';

/** A sentence, or a label of several words. Names and keys have no space after a first word with a capital letter. */
const SENTENCE = /^\s*[A-Z][a-z]*('[a-z]+)? [\w(]/;
/** Part of a template with a word after a space. */
const WORDS = /\s[a-z]{2,}/;

/** Returns the texts in a node that users can read. */
function findTexts(node: Node, place: Place = 'CODE'): string[] {
  // Messages of exceptions and of the browser's log are for developers.
  if (node.type === 'ThrowStatement' || isLogging(node) || node.type.startsWith('TS')) return [];
  const text = readText(node);
  if (text !== null) return isShown(text, node, place) && !NAMES.includes(text.trim()) ? [text.trim()] : [];
  return listChildren(node).flatMap((child) => findTexts(child, findPlace(child, node, place)));
}

const isLogging = ({ type, callee }: Node): boolean =>
  type === 'CallExpression' && isNode(callee) && isNode(callee.object) && callee.object.name === 'console';

/** Returns the text of a node that has one; null for all other nodes. */
function readText({ type, value }: Node): string | null {
  if (type === 'TemplateElement') return (value as { cooked: string }).cooked;
  return (type === 'JSXText' || type === 'Literal') && typeof value === 'string' ? value : null;
}

function isShown(text: string, { type }: Node, place: Place): boolean {
  if (type === 'JSXText' || place === 'SEEN') return /\p{L}/u.test(text);
  return SENTENCE.test(text) || (type === 'TemplateElement' && WORDS.test(text));
}

/** Returns the place of a child: elements and some attributes show texts, and conditions choose between them. */
function findPlace(child: Node, { type, name, test: condition }: Node, place: Place): Place {
  if (type === 'JSXElement' || type === 'JSXFragment')
    return child.type === 'JSXExpressionContainer' ? 'SEEN' : 'CODE';
  if (type === 'JSXAttribute') return READ.includes(String((name as Node).name)) ? 'SEEN' : 'CODE';
  const hands = ['JSXExpressionContainer', 'ConditionalExpression', 'LogicalExpression', 'TemplateLiteral'];
  return hands.includes(type) && child !== condition ? place : 'CODE';
}

describe('the texts of the console', () => {
  test('no file of the console has a text for users, or a locale, outside of its folder language', async () => {
    const files = (await readdir(CONSOLE, { recursive: true })).filter(
      (name) => /\.tsx?$/.test(name) && name !== 'operations.ts' && !name.startsWith('language/'),
    );
    expect(files.length).toBeGreaterThan(60);
    const found: string[] = [];
    for (const name of files) {
      const source = await readFile(join(CONSOLE, name), 'utf8');
      const { program, errors } = parseSync(name, source);
      expect(errors).toEqual([]);
      for (const text of findTexts(program as unknown as Node)) found.push(`${name}: ${text}`);
      if (/'(en|hi)-IN'/.test(source)) found.push(`${name}: a locale`);
    }
    expect(found).toEqual([]);
  });

  test('a text in an element, in an attribute that users read, in a condition, or anywhere as a sentence is found', () => {
    const source = `const a = <p title="Seen">Text {is === 'no' ? 'one' : texts.b} <b className="no">{'x'}</b></p>;
      const b = { label: 'Two words' }; const c = \`\${b} three words\`; console.error('Not this one');
      const d = <Field label={is ? 'four' : texts.c} type="no" />; const e = 'NOT_THIS';
      if (a) throw new Error('Not this one');`;
    const { program, errors } = parseSync('example.tsx', source);

    expect(errors).toEqual([]);
    const found = findTexts(program as unknown as Node);
    expect(found).toEqual(['Seen', 'Text', 'one', 'x', 'Two words', 'three words', 'four']);
  });
});

const NOW = new Date('2026-01-05T10:00:00Z');
const [EARLIER, LATER] = [new Date(NOW.getTime() - 1), new Date(NOW.getTime() + 1)];
/** Id of the viewer who asks what they may do. */
const ME = 'asha';

const NEUTRAL: Omit<ActionFacts, 'status' | 'subStatus'> = {
  verificationId: 'loan-1',
  referenceId: '1358',
  linkExpiresAt: LATER,
  erasedAt: null,
  disputed: false,
  escalated: false,
  closed: false,
  replaced: false,
  polled: false,
  meetingAt: null,
  meetingBookedHere: false,
  unreviewedCall: null,
  hadCall: false,
  hasReplacement: false,
  agents: ['ravi'],
  agentUnknown: false,
  approvalAcceptedBy: null,
  deciders: [],
  assignedAgent: null,
  assignedUntil: null,
  unableAgent: null,
};

/** Facts because of which an action may be refused. */
const FACTS: readonly Partial<ActionFacts>[] = [
  {},
  { referenceId: null },
  { linkExpiresAt: EARLIER },
  { erasedAt: EARLIER },
  { disputed: true },
  { escalated: true },
  { closed: true },
  { replaced: true },
  { meetingAt: LATER },
  { meetingAt: EARLIER },
  { meetingAt: LATER, meetingBookedHere: true },
  { hasReplacement: true },
  { agents: [ME] },
  { agentUnknown: true },
  { approvalAcceptedBy: ME },
  { deciders: [ME] },
  { assignedAgent: 'ravi', assignedUntil: LATER },
  { unreviewedCall: 'USER_ENDED_CALL' },
];

/** Returns the reasons that staff read for actions that are not available, over all states and pairs of facts. */
function listDenials(): string[] {
  const reasons = new Set<string>();
  const staff = (Object.keys(ROLES) as Role[]).filter((role) => role !== 'CUSTOMER');
  for (const { status, subStatus } of ALL_PAIRS)
    for (const [at, first] of FACTS.entries())
      for (const second of FACTS.slice(at))
        for (const role of staff) {
          const facts = { ...NEUTRAL, status, subStatus, ...first, ...second };
          const viewer = { id: ME, roles: [role], verificationIds: [], expiresAt: null };
          for (const action of ALL_SESSION_ACTIONS) {
            const reason = findSessionActionDenial(action, facts, viewer, NOW, {
              auditUnknownAgents: false,
              notifies: false,
            });
            if (reason) reasons.add(reason);
          }
        }
  return [...reasons];
}

describe('the Hindi of what the gateway says', () => {
  const missing = (sentences: readonly (string | null)[]) =>
    sentences.filter((each) => each !== null && !/[\u0900-\u097F]/.test(hindi.gateway.translate(each) ?? ''));

  test('Hindi has the explanation and the advice of every status pair, and the advice of every circumstance', () => {
    const table = ALL_PAIRS.flatMap(({ explanation, recommendedAction }) => [explanation, recommendedAction]);

    expect(missing([...table, ...Object.values(CIRCUMSTANCES).map(({ advice }) => advice)])).toEqual([]);
  });

  test('Hindi has every reason why a transition did not change the status', () => {
    expect(missing(Object.values(VERDICTS))).toEqual([]);
  });

  test('Hindi has every reason why an action is not available to staff', () => {
    const denials = listDenials();

    expect(denials.length).toBeGreaterThan(30);
    expect(missing(denials)).toEqual([]);
  });

  test('Hindi has the reasons why a decision of a review is refused', () => {
    const call = { status: 'VIDEO_CALL', subStatus: 'USER_ENDED_CALL', unreviewedCall: null } as const;
    const say = (callComplete: boolean | null) =>
      findReviewDecisionDenial('RECORD_AGENT_REVIEW', 'AGENT_APPROVED', call, {
        callComplete,
        mayState: true,
      });

    expect(say(false)).not.toBeNull();
    expect(missing([say(false), say(null)])).toEqual([]);
  });

  test('a sentence that Hindi does not have is not translated, and each code has a meaning', () => {
    expect(hindi.gateway.translate('The moon is full.')).toBeNull();
    expect(hindi.gateway.translate('toString')).toBeNull();
    for (const code of ['NOT_FOUND', 'RATE_LIMITED', 'LATER_CODE'])
      expect(hindi.gateway.explain(code)).toMatch(/।|:/);
  });
});
