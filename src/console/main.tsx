import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Console } from './console.tsx';
import { ErrorBoundary, reportFault } from './look/error-boundary.tsx';
import './look/look.css';

const root = document.querySelector('#root');
if (root)
  createRoot(root, { onCaughtError: reportFault }).render(
    <StrictMode>
      <ErrorBoundary address="">
        <Console />
      </ErrorBoundary>
    </StrictMode>,
  );
