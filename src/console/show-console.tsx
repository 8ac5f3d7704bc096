import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Console } from './console.tsx';
import { ErrorBoundary, logFaultWithoutMessage } from './look/error-boundary.tsx';

/** Renders the console into the page. */
export function renderConsole(): void {
  const root = document.querySelector('#root');
  if (!root) return;
  createRoot(root, { onCaughtError: logFaultWithoutMessage }).render(
    <StrictMode>
      <ErrorBoundary address="">
        <Console />
      </ErrorBoundary>
    </StrictMode>,
  );
}
