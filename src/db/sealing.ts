import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataKey } from '../config.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts personal data before it is stored, with AES-256-GCM. Each value names its key, so that keys can be
 * rotated, and is bound to a place (a table and row), so that it cannot be moved to another.
 */
export class Sealer {
  readonly #current: DataKey;
  #missing: { keyId: string; at: number } | null = null;
  readonly #keys: ReadonlyMap<string, { sealing: Buffer; hashing: Buffer; naming: Buffer }>;

  /** The first key seals and hashes; all of them open. */
  constructor(keys: readonly DataKey[]) {
    const [current] = keys;
    if (!current) throw new Error('At least one data key is needed');
    this.#current = current;
    this.#keys = new Map(
      keys.map(({ id, key }) => [
        id,
        {
          sealing: derive(key, 'sealing'),
          hashing: derive(key, 'hashing'),
          naming: derive(key, 'naming'),
        },
      ]),
    );
  }

  seal(plain: string | Buffer, place: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#current.id).sealing, iv);
    cipher.setAAD(Buffer.from(place));
    const text = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([label(this.#current.id), iv, cipher.getAuthTag(), text]);
  }

  /** Throws where the value was altered, moved, or sealed with a key that is not configured. */
  open(sealed: Buffer, place: string): Buffer {
    const { id, rest } = readLabel(sealed);
    const decipher = createDecipheriv('aes-256-gcm', this.#key(id).sealing, rest.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(rest.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(rest.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  }

  /** A keyed hash: tells whether two values are the same to those who hold the key, and nothing to others. */
  hash(plain: string, keyId = this.#current.id): Buffer {
    return Buffer.concat([
      label(keyId),
      createHmac('sha256', this.#key(keyId).hashing).update(plain).digest(),
    ]);
  }

  /** The hashes that a value may be stored under, by the key that was the first when it was. */
  hashes(plain: string): Buffer[] {
    return [...this.#keys.keys()].map((id) => this.hash(plain, id));
  }

  /** Whether `plain` is what was hashed, also where that was done with an older key. Nothing matches where that key is gone. */
  matches(hash: Buffer, plain: string): boolean {
    const { id } = readLabel(hash);
    return this.#keys.has(id) && timingSafeEqual(hash, this.hash(plain, id));
  }

  /**
   * A pseudonym in hex under the key that made `hash`: whoever holds the key derives it again, to others it is random.
   * Null if that key is not configured any more.
   */
  pseudonym(text: string, hash: Buffer): string | null {
    const { id } = readLabel(hash);
    if (!this.#keys.has(id)) return null;
    return createHmac('sha256', this.#key(id).naming).update(text).digest('hex');
  }

  /** The id of the key that seals and hashes. */
  get keyId(): string {
    return this.#current.id;
  }

  /** The ids of all keys, the one that seals and hashes first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  /** Whether a hash can be compared: the key that made it is configured. */
  knowsKeyOf(hash: Buffer): boolean {
    return this.#keys.has(readLabel(hash).id);
  }

  /** The last stored value whose key is not configured, and when it was met (`performance.now`); null if none was. */
  get missing(): { readonly keyId: string; readonly at: number } | null {
    return this.#missing;
  }

  /** What everything begins with that is sealed or hashed now. */
  get label(): Buffer {
    return label(this.#current.id);
  }

  #key(id: string) {
    const key = this.#keys.get(id);
    if (!key) {
      this.#missing = { keyId: id, at: performance.now() };
      throw new MissingKey(id);
    }
    return key;
  }
}

/** Stored data was encrypted or hashed with a key that this process was not given. */
export class MissingKey extends Error {
  constructor(id: string) {
    super(`DATA_KEYS has no key "${id}", with which stored data was encrypted`);
  }
}

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', purpose, 32));

/** Returns a secret that signs development tokens. It is the same after a restart, as the data key is. */
export const deriveTokenSecret = ({ key }: DataKey): Buffer => derive(key, 'development tokens');

const label = (id: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(id)]), Buffer.from(id)]);

function readLabel(bytes: Buffer): { id: string; rest: Buffer } {
  const end = 1 + (bytes[0] ?? 0);
  return { id: bytes.toString('utf8', 1, end), rest: bytes.subarray(end) };
}

/** A key that development makes for itself and finds again at the next start. */
export async function developmentKey(dataDir: string, name: 'data' | 'audit'): Promise<DataKey> {
  const file = join(dataDir, `${name}.key`);
  await mkdir(dataDir, { recursive: true });
  const made = `dev-${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64')}`;
  await writeFile(file, made, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const [id, key] = (await readFile(file, 'utf8')).split(':') as [string, string];
  return { id, key: Buffer.from(key, 'base64') };
}
