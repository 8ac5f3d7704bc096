/** Languages of the texts that customers read. */
export const LOCALES = { EN: 'English.', HI: 'Hindi.' } as const;
export type Locale = keyof typeof LOCALES;
