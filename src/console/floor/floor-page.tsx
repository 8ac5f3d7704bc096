import { useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import { StartSession } from '../acting/start-session.tsx';
import { useHasRole, useSignedIn } from '../gateway/signed-in.tsx';
import { useBadge } from '../live/badge.tsx';
import { Floor } from '../live/floor.ts';
import { useStore } from '../live/store.ts';
import { useLive } from '../live/use-live.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import style from './floor-page.module.css';
import { PhaseStrip } from './phase-strip.tsx';
import { ORDERS, type OrderName, queryOf, useFloorAddress, VIEWS } from './query.ts';
import { SessionTable } from './session-table.tsx';

/** All sessions: where they are, on whom they wait, and the list of them. */
export function FloorPage() {
  const { gateway } = useSignedIn();
  const { search, change } = useFloorAddress();
  const key = search.toString();
  const query = useMemo(() => queryOf(new URLSearchParams(key)), [key]);
  const floor = useLive(() => new Floor(gateway, query.filter, ORDERS[query.order].order), [gateway, query]);
  const [starting, setStarting] = useState(false);
  const mayStart = useHasRole('OPERATOR', 'ADMIN');

  return (
    <div className={style.page}>
      <h1 className="hidden">The floor</h1>
      <FloorCounts floor={floor} />
      <div className={style.tools}>
        <ViewTabs search={key} />
        <SearchField
          value={search.get('id') ?? ''}
          onChange={(id) =>
            change((next) => {
              if (id) next.set('id', id);
              else next.delete('id');
            })
          }
        />
        <Select
          label="Order"
          options={
            Object.fromEntries(Object.entries(ORDERS).map(([name, { said }]) => [name, said])) as Record<
              OrderName,
              string
            >
          }
          value={query.order}
          onChange={(order) => change((next) => next.set('order', order))}
        />
        {mayStart && (
          <Button look="primary" onPress={() => setStarting(true)}>
            Start a session
          </Button>
        )}
      </div>
      <FloorList floor={floor} filtered={key !== ''} />
      {starting && <StartSession onClose={() => setStarting(false)} onStarted={(row) => floor.take(row)} />}
    </div>
  );
}

function FloorCounts({ floor }: { floor: Floor }) {
  const { counts, state } = useStore(floor);
  useBadge(state);
  return <PhaseStrip counts={counts} />;
}

function FloorList({ floor, filtered }: { floor: Floor; filtered: boolean }) {
  const { rows, total, edge, reading, failure } = useStore(floor);
  return (
    <>
      {failure && <Notice tone="bad">{failure.message}</Notice>}
      <SessionTable
        rows={rows}
        total={edge ? total : rows.length}
        more={edge !== null}
        reading={reading}
        onMore={() => void floor.readMore()}
        whenEmpty={
          filtered
            ? 'No session is like this now. It would appear here by itself.'
            : 'There is no session yet.'
        }
      />
    </>
  );
}

function ViewTabs({ search }: { search: string }) {
  const { viewer } = useSignedIn();
  const mine = (roles: readonly string[]) => viewer.roles.some((role) => roles.includes(role));
  const views = [...VIEWS].sort((one, other) => Number(mine(other.roles)) - Number(mine(one.roles)));
  return (
    <nav aria-label="Views" className={style.views}>
      {views.map(({ said, search: own }) => (
        <Link key={said} href={own ? `/?${own}` : '/'} aria-current={own === search ? 'page' : undefined}>
          {said}
        </Link>
      ))}
    </nav>
  );
}

const TYPING_MS = 250;

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const waiting = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(waiting);
  }, [text, value, onChange]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const { tagName } = event.target as Element;
      if (event.key !== '/' || /INPUT|TEXTAREA|SELECT/.test(tagName)) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);
  return (
    <input
      ref={field}
      type="search"
      className={style.search}
      aria-label="Verification id begins with"
      aria-keyshortcuts="/"
      placeholder="Verification id  ( / )"
      maxLength={50}
      value={text}
      onChange={(event) => setText(event.target.value.trim())}
    />
  );
}
