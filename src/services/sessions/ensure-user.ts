import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../db/connection/client.ts';
import {
  decryptPersonalData,
  findUserByProviderUserId,
  getUserSealingContext,
  insertOrFindUser,
  type UserRow,
  updatePersonalData,
} from '../../db/sessions/users.ts';
import { ProviderFailure } from '../../domain/errors.ts';
import type { Clock, ContactDetails, ProviderClient, ProviderUser } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { refuseField } from './validation.ts';

/** User data that the caller gave. A field that is missing keeps the value that the provider has. */
export type UserInput = { readonly userId: string } & {
  readonly [K in keyof ContactDetails]?: string | undefined;
};

interface Dependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly provider: ProviderClient;
  readonly sealer: Sealer;
}

/**
 * Ensures that the provider and the database have a user with this id. `isNew`: the gateway derived the id for
 * this start, so the user is created without first asking the provider whether the user exists.
 *
 * @throws Refusal if the user is unknown and no phone was given, or if the given phone differs from the known
 * one, to which the provider would send the link
 */
export async function ensureUser(
  dependencies: Dependencies,
  given: UserInput,
  isNew: boolean,
): Promise<UserRow> {
  const stored = await findUserByProviderUserId(dependencies.db, given.userId);
  if (given.phone && stored?.phoneHash && !dependencies.sealer.verifyHash(stored.phoneHash, given.phone))
    refuseOtherPhone();
  return storeUser(dependencies, await atProvider(dependencies.provider, given, isNew));
}

async function atProvider(provider: ProviderClient, given: UserInput, isNew: boolean): Promise<ProviderUser> {
  const known = isNew ? null : await provider.findUser(given.userId);
  if (known) return broughtUpToDate(provider, given, known);
  const added = await addUser(provider, given);
  if (added) return added;
  // Another process, or an earlier attempt of this start, created the user after the provider was asked (race).
  const theirs = await provider.findUser(given.userId);
  if (theirs) return broughtUpToDate(provider, given, theirs);
  throw new ProviderFailure('UNAVAILABLE', 'The provider reports this user id as both taken and not found.');
}

/**
 * Asks the provider about a user and stores the answer. If the provider does not know the user, stores only the
 * user id.
 */
export async function fetchAndStoreUser(dependencies: Dependencies, userId: string): Promise<UserRow> {
  const known = await dependencies.provider.findUser(userId);
  return storeUser(dependencies, known ?? { userId, phone: null, name: null, email: null, address: null });
}

/**
 * Inserts or updates a user with the provider's data. Fields that the provider leaves out keep their stored
 * values. Returns the stored row.
 */
export async function storeUser(
  { db, clock, sealer }: Omit<Dependencies, 'provider'>,
  atProvider: ProviderUser,
): Promise<UserRow> {
  const { userId, ...payload } = atProvider;
  const id = uuidv7();
  const sealed = (rowId: string, personal: ContactDetails) => ({
    personal: sealer.seal(JSON.stringify(personal), getUserSealingContext(rowId)),
    phoneHash: personal.phone === null ? null : sealer.hash(personal.phone),
  });
  const stored = await insertOrFindUser(db, {
    id,
    userId,
    ...sealed(id, payload),
    createdAt: clock.now(),
    erasedAt: null,
  });
  if (stored.id === id) return stored;
  const before = decryptPersonalData(sealer, stored);
  const merged: ContactDetails = {
    phone: payload.phone ?? before.phone,
    name: payload.name ?? before.name,
    email: payload.email ?? before.email,
    address: payload.address ?? before.address,
  };
  const changes = sealed(stored.id, merged);
  await updatePersonalData(db, stored.id, changes);
  return { ...stored, ...changes };
}

/** Creates the user at the provider. Returns null if the provider already has a user with this id. */
async function addUser(provider: ProviderClient, given: UserInput): Promise<ProviderUser | null> {
  const { userId, phone } = given;
  if (phone === undefined) {
    return refuseField(
      ['user', 'userId'],
      'is not known to the provider: pass a phone too, to create this user',
    );
  }
  const asked = { userId, ...pickPersonalData(given) };
  try {
    await provider.createUser(asked);
    return asked;
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind === 'TAKEN') return null;
    throw error;
  }
}

/**
 * Updates the user at the provider if a field that the caller gave differs. Only a caller who gave the user's
 * phone may change the other fields, so that knowing a user id is not enough.
 */
async function broughtUpToDate(
  provider: ProviderClient,
  given: UserInput,
  known: ProviderUser,
): Promise<ProviderUser> {
  const { userId, phone } = given;
  if (phone !== undefined && known.phone !== null && known.phone !== phone) refuseOtherPhone();
  const may = phone !== undefined && known.phone === phone;
  const current =
    may && differs(given, known) ? await provider.updateUser({ userId, ...pickPersonalData(given) }) : known;
  return { ...current, userId, phone: current.phone ?? known.phone ?? phone ?? null };
}

const pickPersonalData = ({ phone, name, email, address }: UserInput): ContactDetails => ({
  phone: phone ?? null,
  name: name ?? null,
  email: email ?? null,
  address: address ?? null,
});

/**
 * Returns whether a field that the caller gave differs from the provider's. Ignores case, because the provider
 * sometimes changes the case of names.
 */
const differs = (given: UserInput, known: ProviderUser): boolean =>
  (['name', 'email', 'address'] as const).some(
    (key) => given[key] !== undefined && given[key].toLowerCase() !== known[key]?.toLowerCase(),
  );

const refuseOtherPhone = () =>
  refuseField(
    ['user', 'phone'],
    'differs from the phone that the provider has for this user and would send the link to',
  );
