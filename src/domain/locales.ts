/** Languages of the texts that customers read. */
export const LOCALES = { EN: 'Text in English.', HI: 'Text in Hindi, in Devanagari script.' } as const;
export type Locale = keyof typeof LOCALES;
