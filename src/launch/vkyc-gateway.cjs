#!/usr/bin/env node
/**
 * Program of the published package: `npx vkyc-gateway dev` and so on. First checks that this Node can run it. Uses
 * only old syntax, so that a Node version that is too old can still parse the file and say so.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const { explainNode } = require('./requirements.cjs');

const root = path.resolve(__dirname, '..');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const problem = explainNode(manifest.engines.node, process.versions.node, 'npx vkyc-gateway dev');

if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else
  import('./package-commands.mjs')
    .then(({ runPackageCommand }) => runPackageCommand(root, process.argv.slice(2)))
    .catch((error) => {
      process.stderr.write(`${error.name === 'CommandError' ? error.message : error.stack}\n`);
      process.exitCode = 1;
    });
