/** A user, in the provider's wire format. */
export interface SandboxUser {
  readonly user_id: string;
  readonly user_reference_id: number;
  readonly phone: string;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
}
