/** Checks the packages that `npm ci` installs, as package-lock.json lists them. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';

interface Package {
  readonly version: string;
  readonly engines?: { readonly node?: string };
  readonly hasInstallScript?: boolean;
}

const { subset, satisfies } = createRequire(import.meta.url)('semver') as {
  subset(range: string, of: string): boolean;
  satisfies(version: string, range: string): boolean;
};

const readText = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

let manifest: { engines: { node: string }; allowScripts: Record<string, boolean> };
let installed: [path: string, found: Package][];

beforeAll(async () => {
  manifest = JSON.parse(await readText('package.json'));
  const { packages } = JSON.parse(await readText('package-lock.json')) as {
    packages: Record<string, Package>;
  };
  installed = Object.entries(packages).filter(([path]) => path !== '');
});

describe('installed packages', () => {
  test('every installed package supports every Node version that package.json names', () => {
    const newer = installed
      .filter(([, { engines }]) => engines?.node && !subset(manifest.engines.node, engines.node))
      .map(([path, { version, engines }]) => `${path} ${version} needs Node ${engines?.node}`);

    expect(newer).toEqual([]);
  });

  test('package.json allows exactly the Node versions that the README asks for', async () => {
    const readme = await readText('README.md');
    const { node } = manifest.engines;

    expect(readme).toContain('Node 20.19+, 22.13+ or 24+');
    for (const version of ['20.19.0', '22.13.0', '24.0.0', '25.1.0'])
      expect(satisfies(version, node), version).toBe(true);
    for (const version of ['18.20.8', '20.18.9', '21.7.0', '22.12.0', '23.11.0'])
      expect(satisfies(version, node), version).toBe(false);
  });

  test('.npmrc makes npm ci fail on an unsupported Node version, instead of warning once for each package', async () => {
    expect((await readText('.npmrc')).split('\n')).toContain('engine-strict=true');
  });

  test('every package with an install script is named in allowScripts, so npm 11 prints no warning', () => {
    const withScript = installed
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.split('node_modules/').at(-1) as string);

    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(withScript)].sort());
    // No install script has to run: our build and start make the library links of the embedded PostgreSQL,
    // and the other scripts only save time.
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
  });
});
