import { useEffect, useRef, useState } from 'react';
import { GatewayError } from '../gateway/gateway.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import type { LocalSessionFilter } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import { FailureNotice } from '../look/notice.tsx';
import type { SessionOrder } from '../operations.ts';
import style from './export-button.module.css';

interface Props {
  readonly filter: LocalSessionFilter;
  readonly order: SessionOrder;
}

const PATH = '/exports/sessions.csv';
const LINE_FEED = 0x0a;

/**
 * Button that saves the list, with its filters and its sort order, as a CSV file. While the file arrives, the button cancels
 * the export. An incomplete file is never saved.
 */
export function CsvExportButton({ filter, order }: Props) {
  const { gateway } = useViewerAndGateway();
  const controller = useRef<AbortController>(null);
  const [running, setRunning] = useState(false);
  const [rows, setRows] = useState<number | null>(null);
  const [failure, setFailure] = useState<GatewayError | null>(null);
  useEffect(() => () => controller.current?.abort(), []);

  const start = async () => {
    controller.current = new AbortController();
    const { signal } = controller.current;
    setRunning(true);
    setRows(null);
    setFailure(null);
    let lines = 0;
    const onChunk = (chunk: Uint8Array) => {
      for (const byte of chunk) if (byte === LINE_FEED) lines += 1;
      // The first line is the header.
      setRows(Math.max(0, lines - 1));
    };
    try {
      save(await gateway.fetchFile(PATH, { filter, orderBy: order }, { signal, onChunk }));
    } catch (error) {
      const isCut = (error as GatewayError).code === null && lines > 0;
      setRows(null);
      if (!signal.aborted)
        setFailure(isCut ? new GatewayError(texts.exporting.incomplete, null) : (error as GatewayError));
    }
    setRunning(false);
  };

  const { exporting, locale } = texts;
  const count = rows?.toLocaleString(locale);
  return (
    <div className={style.export}>
      <Button onPress={() => (running ? controller.current?.abort() : void start())}>
        {running ? exporting.cancel : exporting.start}
      </Button>
      <span role="status" className={style.state}>
        {count !== undefined && (running ? exporting.soFar(count) : exporting.done(count))}
      </span>
      {failure && <FailureNotice failure={failure} />}
    </div>
  );
}

/** Lets the browser save a file, as if the user had followed a link to it. */
function save(file: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `sessions-${new Date().toISOString().slice(0, 10)}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
