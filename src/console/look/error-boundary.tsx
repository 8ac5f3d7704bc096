import { Component, type ReactNode } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from './button.tsx';
import style from './error-boundary.module.css';

interface Props {
  /** Address of the page. A fault is forgotten when the address changes, so that the navigation goes on working. */
  readonly address: string;
  /** Way out of the page, below the message; none if no navigation is left. */
  readonly wayOut?: ReactNode;
  readonly children: ReactNode;
}

interface State {
  readonly failedAt: Date | null;
  readonly address: string;
}

const TIME = new Intl.DateTimeFormat(texts.locale, { timeStyle: 'medium', hourCycle: 'h23' });

/**
 * Shows a message in place of its children if they throw while they are rendered; without it, React would leave a blank
 * page. The message contains nothing of the error, whose text may be personal data.
 */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failedAt: null, address: this.props.address };

  static getDerivedStateFromError(): Partial<State> {
    return { failedAt: new Date() };
  }

  static getDerivedStateFromProps({ address }: Props, state: State): Partial<State> | null {
    return address === state.address ? null : { failedAt: null, address };
  }

  override render(): ReactNode {
    const { failedAt } = this.state;
    if (!failedAt) return this.props.children;
    return (
      <div role="alert" className={style.fault}>
        <h1>{texts.frame.fault}</h1>
        <p>{texts.frame.faultAt(TIME.format(failedAt))}</p>
        <p>{texts.frame.afterFault}</p>
        <p className={style.out}>
          <Button look="primary" onPress={() => location.reload()}>
            {texts.frame.reload}
          </Button>
          {this.props.wayOut}
        </p>
      </div>
    );
  }
}

/**
 * Writes a fault that a boundary caught to the console of the browser, without its message: messages may quote personal
 * data, and what is written there is often copied into tickets.
 */
export function logFaultWithoutMessage(fault: unknown): void {
  const { name = 'Error', message = '', stack = '' } = fault instanceof Error ? fault : {};
  console.error('A fault stopped a page of the console:', name, stack.split(message).at(-1));
}
