import type { ReactNode } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { texts } from '../language/texts.ts';
import { Button } from './button.tsx';
import style from './dialog.module.css';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Modal dialog. Escape, the close button or a click outside closes the dialog. */
export function Dialog({ title, onClose, children }: Props) {
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={onClose} className={style.overlay!}>
      <Modal className={style.modal!}>
        <AriaDialog className={style.dialog!}>
          <header>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <Button look="quiet" aria-label={texts.frame.close} onPress={onClose}>
              ✕
            </Button>
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
