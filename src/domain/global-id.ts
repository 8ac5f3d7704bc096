/** Types that have a global id. */
export const NODE_TYPES = [
  'VkycSession',
  'VkycUser',
  'StatusTransition',
  'Meeting',
  'Review',
  'Note',
  'Closure',
  'Escalation',
  'DisputeResolution',
  'Assignment',
  'CustomerNotification',
] as const;
export type NodeType = (typeof NODE_TYPES)[number];

/** Returns the id by which the API names an object: unique over all types (Relay). */
export const toGlobalId = (type: NodeType, key: string): string =>
  Buffer.from(`${type}:${key}`).toString('base64url');
