import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../db/client.ts';
import type { Sealer } from '../db/sealing.ts';
import { insertUser, placeOfUser, type UserRow, updatePersonal } from '../db/users.ts';
import { ProviderFailure } from '../domain/errors.ts';
import type { Clock, PersonalData, Provider, ProviderUser } from '../domain/ports.ts';
import { refuseField } from './validation.ts';

/** What a caller gave of a person; what is missing stays as the provider has it. */
export type GivenUser = { readonly userId: string } & {
  readonly [K in keyof PersonalData]?: string | undefined;
};

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly provider: Provider;
  readonly sealer: Sealer;
}

/**
 * Makes sure that the provider and we know a person under this id, as given. Throws `Refusal` where nobody is known
 * and no phone was given, or the phone is another one: the link would go to the old one.
 */
export async function ensureUser(parts: Parts, given: GivenUser): Promise<UserRow> {
  const stored = await storeUser(parts, await ensureAtProvider(parts.provider, given));
  const { phone } = given;
  if (phone && stored.phoneHash && !parts.sealer.matches(stored.phoneHash, phone)) refuseOtherPhone();
  return stored;
}

/** Keeps a person as the provider has them; returns the stored row. */
export async function storeUser({ db, clock, sealer }: Parts, atProvider: ProviderUser): Promise<UserRow> {
  const { userId, ...personal } = atProvider;
  const id = uuidv7();
  const seal = (rowId: string) => sealer.seal(JSON.stringify(personal), placeOfUser(rowId));
  const stored = await insertUser(db, {
    id,
    userId,
    personal: seal(id),
    phoneHash: personal.phone === null ? null : sealer.hash(personal.phone),
    createdAt: clock.now(),
  });
  if (stored.id !== id) await updatePersonal(db, stored.id, seal(stored.id));
  return stored;
}

async function ensureAtProvider(provider: Provider, given: GivenUser): Promise<ProviderUser> {
  const { userId, phone } = given;
  if (phone !== undefined) {
    try {
      return { ...(await provider.createUser({ userId, ...personalOf(given) })), userId };
    } catch (error) {
      if (!(error instanceof ProviderFailure && error.kind === 'TAKEN')) throw error;
    }
  }
  const known = await provider.findUser(userId);
  if (!known)
    return refuseField(
      ['user', 'userId'],
      'is not known to the provider: give a phone as well to add this user',
    );
  if (phone !== undefined && known.phone !== null && known.phone !== phone) refuseOtherPhone();
  const current = differs(given, known) ? await provider.updateUser({ userId, ...personalOf(given) }) : known;
  return { ...current, userId, phone: current.phone ?? phone ?? null };
}

const personalOf = ({ phone, name, email, address }: GivenUser): PersonalData => ({
  phone: phone ?? null,
  name: name ?? null,
  email: email ?? null,
  address: address ?? null,
});

/** The provider changes the case of names at times: that alone is no difference. */
const differs = (given: GivenUser, known: ProviderUser): boolean =>
  (['name', 'email', 'address'] as const).some(
    (key) => given[key] !== undefined && given[key].toLowerCase() !== known[key]?.toLowerCase(),
  );

const refuseOtherPhone = () =>
  refuseField(
    ['user', 'phone'],
    'differs from the phone that this user is known by, to which the link would go',
  );
