import { loadTexts } from './language/texts.ts';
import './look/look.css';

// The pages read the texts while they are imported, so the texts are loaded first.
await loadTexts();
const { renderConsole } = await import('./show-console.tsx');
renderConsole();
