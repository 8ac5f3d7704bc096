import type { ReactNode } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import { TranslatedGatewayMessage } from '../language/gateway-text.tsx';
import style from './notice.module.css';
import tones from './tones.module.css';

/**
 * Message box. Screen readers announce a `bad` message immediately (role alert), and other messages when they are
 * idle (role status).
 */
export function Notice({ tone, children }: { tone: 'bad' | 'trouble' | 'good'; children: ReactNode }) {
  return (
    <div role={tone === 'bad' ? 'alert' : 'status'} className={`${style.notice} ${tones[tone]}`}>
      {children}
    </div>
  );
}

/** Message box that says why a request to the gateway failed. */
export const FailureNotice = ({ failure }: { failure: GatewayError }) => (
  <Notice tone="bad">
    <TranslatedGatewayMessage of={failure} />
  </Notice>
);
