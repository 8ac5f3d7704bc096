/**
 * Entry point of the npm scripts: `run.cjs start`, `run.cjs test`, `run.cjs command NAME` and so on. First
 * checks that the script can run with this Node and the installed packages. Uses only old syntax, so that a
 * Node version that is too old can still parse the file and say so.
 */
'use strict';

const path = require('path');
const { explainProblem } = require('./requirements.cjs');

/** Names of errors whose message tells the user what to do. Such a message is printed without a stack. */
const EXPECTED = ['LaunchError', 'ConfigError', 'StartError'];

const root = path.resolve(__dirname, '..', '..');
const [name, ...args] = process.argv.slice(2);
const problem = explainProblem(root, name);

if (problem) {
  process.stderr.write(`\n${problem}\n\n`);
  process.exitCode = 1;
} else
  import('./launch.mjs')
    .then(({ launch }) => launch(root, name, args))
    .catch((error) => {
      process.stderr.write(`\n${EXPECTED.includes(error.name) ? error.message : error.stack}\n\n`);
      process.exitCode = 1;
    });
