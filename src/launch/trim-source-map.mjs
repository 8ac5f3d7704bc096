/**
 * Removes the code of packages from the bundle's source map: with the full map of 7 MB, Node would allocate
 * 60 MB of memory at the first stack trace. Runs as a process of its own, because inside the bundler's
 * process it would raise the build's peak memory by 120 MB.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { decode, encode } from '@jridgewell/sourcemap-codec';

const FILE = '.build/gateway/main.js.map';

const { version, sources, mappings } = JSON.parse(readFileSync(FILE, 'utf8'));
const kept = sources.flatMap((source, index) => (source.includes('node_modules') ? [] : [index]));
const places = new Map(kept.map((index, place) => [index, place]));

/**
 * Removes the source from a segment of the source map that belongs to a package. A segment without a source
 * says that the code up to the line's next segment has no source.
 */
const trim = ([column, source, ...place]) =>
  places.has(source) ? [column, places.get(source), place[0], place[1]] : [column];
const lines = decode(mappings).map((line) =>
  line.map(trim).filter(({ length }, index, all) => length > 1 || all[index - 1]?.length !== 1),
);
const trimmed = {
  version,
  sources: kept.map((index) => sources[index]),
  names: [],
  mappings: encode(lines),
};
writeFileSync(FILE, JSON.stringify(trimmed));
