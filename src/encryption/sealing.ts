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
import type { KeyWithId } from '../config.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts personal data with AES-256-GCM before it is stored. Each encrypted value begins with the id of its
 * key, so that keys can be rotated. The value's table and row (`context`) are the AAD, so that a value that was
 * moved to another row cannot be decrypted.
 */
export class Sealer {
  readonly #current: KeyWithId;
  #missing: { keyId: string; at: number } | null = null;
  readonly #keys: ReadonlyMap<string, { sealing: Buffer; hashing: Buffer; naming: Buffer }>;

  /**
   * The first of `keys` encrypts and hashes. All of `keys` decrypt values and verify hashes, so that older
   * values stay readable after a key rotation.
   */
  constructor(keys: readonly KeyWithId[]) {
    const [current] = keys;
    if (!current) throw new Error('DATA_KEYS contains no key: set at least one');
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

  seal(plain: string | Buffer, context: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#current.id).sealing, iv);
    cipher.setAAD(Buffer.from(context));
    const text = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([encodeKeyId(this.#current.id), iv, cipher.getAuthTag(), text]);
  }

  /**
   * Decrypts a value that `seal` returned for the same context.
   *
   * @throws MissingKey if the value's key is not configured; an `Error` if the value was altered or moved
   */
  open(sealed: Buffer, context: string): Buffer {
    const { id, rest } = splitKeyId(sealed);
    const decipher = createDecipheriv('aes-256-gcm', this.#key(id).sealing, rest.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(rest.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(rest.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  }

  /**
   * Computes a keyed hash (HMAC): with one key, equal values have equal hashes; without the key, a hash
   * reveals nothing about its value.
   */
  hash(plain: string, keyId = this.#current.id): Buffer {
    return Buffer.concat([
      encodeKeyId(keyId),
      createHmac('sha256', this.#key(keyId).hashing).update(plain).digest(),
    ]);
  }

  /**
   * Returns the hashes of a value under each configured key. The stored hash is one of them, depending on the
   * key that was current when it was stored.
   */
  candidateHashes(plain: string): Buffer[] {
    return [...this.#keys.keys()].map((id) => this.hash(plain, id));
  }

  /** Returns whether `hash` was made from `plain`. False if the key of the hash is not configured any more. */
  verifyHash(hash: Buffer, plain: string): boolean {
    const { id } = splitKeyId(hash);
    return this.#keys.has(id) && timingSafeEqual(hash, this.hash(plain, id));
  }

  /**
   * Derives a pseudonym (HMAC, in hex) of `text` with the key that made `hash`: equal for equal texts, and
   * random-looking to anyone without the key. Returns null if that key is not configured any more.
   */
  pseudonym(text: string, hash: Buffer): string | null {
    const { id } = splitKeyId(hash);
    if (!this.#keys.has(id)) return null;
    return createHmac('sha256', this.#key(id).naming).update(text).digest('hex');
  }

  /** Id of the current key, which encrypts and hashes. */
  get keyId(): string {
    return this.#current.id;
  }

  /** Ids of all configured keys, the current one first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  /** Returns whether the key that made a hash is configured, so that the hash can be compared. */
  knowsKeyOf(hash: Buffer): boolean {
    return this.#keys.has(splitKeyId(hash).id);
  }

  /**
   * Key id of the last stored value whose key is not configured, and the time of that error
   * (`performance.now`); null if there was none.
   */
  get missing(): { readonly keyId: string; readonly at: number } | null {
    return this.#missing;
  }

  /**
   * Prefix of every value that is encrypted or hashed with the current key. Key rotation re-encrypts the values
   * without this prefix.
   */
  get keyIdPrefix(): Buffer {
    return encodeKeyId(this.#current.id);
  }

  #key(id: string) {
    const key = this.#keys.get(id);
    if (!key) {
      this.#missing = { keyId: id, at: performance.now() };
      throw new MissingDataKeyError(id);
    }
    return key;
  }
}

/** Error for stored data that was encrypted or hashed with a key that DATA_KEYS lacks. */
export class MissingDataKeyError extends Error {
  constructor(id: string) {
    super(`DATA_KEYS has no key "${id}", with which stored data was encrypted`);
  }
}

const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', purpose, 32));

/**
 * Derives the secret that signs development tokens from the data key, so that the tokens stay valid after a
 * restart.
 */
export const deriveDevelopmentTokenSecret = ({ key }: KeyWithId): Buffer => derive(key, 'development tokens');

const encodeKeyId = (id: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(id)]), Buffer.from(id)]);

function splitKeyId(bytes: Buffer): { id: string; rest: Buffer } {
  const end = 1 + (bytes[0] ?? 0);
  return { id: bytes.toString('utf8', 1, end), rest: bytes.subarray(end) };
}

/** Reads the development key from its file in the data folder; the first start creates the file. */
export async function loadOrCreateDevelopmentKey(
  dataDir: string,
  name: 'data' | 'audit',
): Promise<KeyWithId> {
  const file = join(dataDir, `${name}.key`);
  await mkdir(dataDir, { recursive: true });
  const made = `dev-${randomBytes(3).toString('hex')}:${randomBytes(32).toString('base64')}`;
  await writeFile(file, made, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const [id, key] = (await readFile(file, 'utf8')).split(':') as [string, string];
  return { id, key: Buffer.from(key, 'base64') };
}
