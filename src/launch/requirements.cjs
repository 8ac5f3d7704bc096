/**
 * Checks the Node version, the path of the checkout and the installed packages before anything is built or
 * run. This file uses no package, because none may be installed yet.
 */
'use strict';

const fs = require('fs');
const path = require('path');

/** Settings that are required in production only; src/environment-rules.ts has the same rule. */
const PRODUCTION_SETTINGS = [
  'AUTH_SECRET or AUTH_JWKS_URL',
  'AUTH_ISSUER, AUTH_AUDIENCE',
  'CASHFREE_CLIENT_ID, CASHFREE_CLIENT_SECRET',
  'DATABASE_URL',
  'DATA_KEYS',
  'AUDIT_KEYS',
];

/** Characters that a tool does not support in the path of the checkout: Vite, Node's imports, the shell of initdb. */
const UNUSABLE_IN_PATH = /[#?\\"$`]/;
/**
 * Characters that the tests do not support in the path of the checkout: the characters of `UNUSABLE_IN_PATH`,
 * and also % and line ends, because Vitest parses a path as a URL.
 */
const UNUSABLE_IN_PATH_OF_TESTS = /[#?\\"$`%\n]/;

/** Returns the problem that keeps the script from running, with what to type; null if there is none. */
function explainProblem(root, script) {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  return (
    explainNode(manifest.engines.node, process.versions.node) ||
    explainPath(root, script === 'test' ? UNUSABLE_IN_PATH_OF_TESTS : UNUSABLE_IN_PATH) ||
    explainPackages(root, Object.keys(manifest.dependencies)) ||
    (script === 'test' ? explainTools(root) : null)
  );
}

/** Returns why this Node cannot run the gateway, with what to type (by default that of a checkout); null if it can. */
function explainNode(range, version, toType = 'npm ci && npm start') {
  if (supports(range, version)) return null;
  return (
    `vkyc-gateway runs on Node ${inWords(range)}; this is Node ${version} (${process.execPath}).\n` +
    'Install one of these, such as with `nvm install 22`, then type: ' +
    toType
  );
}

/**
 * Returns whether a Node version is in a range. A range has parts such as `^20.19.0` or `>=24.0.0`, separated
 * by two bars.
 */
function supports(range, version) {
  const found = version.split('.').map(Number);
  return range.split('||').some((part) => {
    const [, operator, ...numbers] = part.trim().match(/^(\^|>=)(\d+)\.(\d+)\.(\d+)$/) || [];
    const wanted = numbers.map(Number);
    if (operator === '^' && found[0] !== wanted[0]) return false;
    const differs = [0, 1, 2].find((index) => found[index] !== wanted[index]);
    return differs === undefined || found[differs] > wanted[differs];
  });
}

const inWords = (range) =>
  range
    .split('||')
    .map(
      (part) =>
        part
          .trim()
          .replace(/^(\^|>=)/, '')
          .replace(/(\d)(?:\.0){1,2}$/, '$1') + (/^\^/.test(part.trim()) ? '+' : ' or later'),
    )
    .join(', ');

function explainPath(root, unusable) {
  const [character] = root.match(unusable) || [];
  if (!character) return null;
  return (
    `The path of this checkout contains the character ${character}, which the tools that build, run and test the\n` +
    `gateway do not support: ${root}\n` +
    'Move the checkout to another path, then type the same command again.'
  );
}

const isMissing = (root) => (name) => !fs.existsSync(path.join(root, 'node_modules', name, 'package.json'));

function explainPackages(root, names) {
  const missing = names.filter(isMissing(root));
  if (missing.length === 0) return null;
  return `The packages of the gateway are not installed (missing: ${list(missing)}). Type: npm ci && npm start`;
}

/**
 * Returns why the tools that build and test are missing, with what to type; null if all tools are installed.
 */
function explainTools(root) {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const missing = Object.keys(manifest.devDependencies).filter(isMissing(root));
  if (missing.length === 0) return null;
  const production = process.env.NODE_ENV === 'production';
  return [
    `The tools that build and test the gateway are not installed (missing: ${list(missing)}).`,
    production
      ? 'NODE_ENV=production is set in this shell, so `npm ci` leaves them out.'
      : '`npm ci` left them out: it ran with --omit=dev, or with NODE_ENV=production.',
    '',
    production ? 'To try it on this machine, type:' : 'Type:',
    `  ${production ? 'unset NODE_ENV && ' : ''}npm ci --include=dev && npm start`,
    ...(production ? ['', ...explainProduction()] : []),
  ].join('\n');
}

const explainProduction = () => [
  'For production, build with the tools, then start without them:',
  '  npm ci --include=dev && npm run build && npm prune --omit=dev && npm start',
  `and set: ${PRODUCTION_SETTINGS.join('; ')} (OPERATIONS.md says how, under "Settings").`,
];

const list = (names) =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');

module.exports = { PRODUCTION_SETTINGS, explainNode, explainProblem, explainTools };
