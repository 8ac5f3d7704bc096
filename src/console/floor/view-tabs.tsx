import { useState } from 'react';
import { Link } from 'wouter';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { UserText } from '../look/user-text.tsx';
import { listPresetViewsFor } from './query.ts';
import { deleteView, MAX_VIEW_NAME_LETTERS, saveView, useSavedViews } from './saved-views.ts';
import style from './view-tabs.module.css';

/** Tabs of the list: the views of the console, and those that the user saved. Offers to save the filters in the address. */
export function ViewTabs({ search }: { search: string }) {
  const { viewer } = useViewerAndGateway();
  const saved = useSavedViews();
  const [isSaving, setSaving] = useState(false);
  const views = listPresetViewsFor(viewer.roles);
  const isKnown = [...views, ...saved].some((view) => view.search === search);
  const current = (view: { search: string }) => (view.search === search ? 'page' : undefined);
  return (
    <>
      <nav aria-label={texts.floor.views} className={style.views}>
        {views.map((view) => (
          <Link key={view.label} href={`/?${view.search}`} aria-current={current(view)}>
            {view.label}
          </Link>
        ))}
        {saved.map((view) => (
          <span key={view.name} className={style.saved}>
            <Link href={`/?${view.search}`} aria-current={current(view)}>
              <UserText>{view.name}</UserText>
            </Link>
            <Button
              look="quiet"
              aria-label={texts.list.deleteView(view.name)}
              onPress={() => deleteView(view.name)}
            >
              <span aria-hidden>✕</span>
            </Button>
          </span>
        ))}
      </nav>
      {!isKnown && (
        <Button look="quiet" onPress={() => setSaving(true)}>
          {texts.list.saveView}
        </Button>
      )}
      {isSaving && <SaveViewDialog search={search} onClose={() => setSaving(false)} />}
    </>
  );
}

function SaveViewDialog({ search, onClose }: { search: string; onClose: () => void }) {
  const [name, setName] = useState('');
  const save = () => {
    if (!name.trim()) return;
    saveView({ name: name.trim(), search });
    onClose();
  };
  return (
    <Dialog title={texts.list.saveViewTitle} onClose={onClose}>
      <Form onSubmit={save}>
        <Field
          label={texts.list.viewName}
          name="name"
          autoFocus
          maxLength={MAX_VIEW_NAME_LETTERS}
          value={name}
          onChange={setName}
          hint={texts.list.saveViewHint}
        />
        <div className={style.buttons}>
          <Button onPress={onClose}>{texts.list.cancel}</Button>
          <Button type="submit" look="primary" isDisabled={!name.trim()}>
            {texts.list.save}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
