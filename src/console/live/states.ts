import type { Party, VkycStatusFragment } from '../operations.ts';

export type { Party };
export type StatusInfo = VkycStatusFragment;
