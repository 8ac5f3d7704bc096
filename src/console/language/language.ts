/** Languages of the console, as in the `lang` attribute of HTML. */
export type Language = 'en' | 'hi';
