import { Menu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { pageSettings } from '../gateway/setup.ts';
import { DEVELOPMENT_ROLES, type DevelopmentRole } from '../gateway/sign-in.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { formatRoles, getLabel, ROLE_LABELS } from '../look/labels.ts';
import style from './who-menu.module.css';

/**
 * Menu of the signed-in user, who can switch between roles in development and sign out in production. It also opens the
 * list of keys.
 */
export function UserMenu({ onKeys }: { onKeys: () => void }) {
  const { viewer, signIn, switchUser } = useViewerAndGateway();
  const development = pageSettings.signIn === 'ISSUED';
  return (
    <MenuTrigger>
      <Button look="quiet">
        <span className="hidden">{texts.frame.signedInAs}</span>
        <span className={style.who}>
          <b title={viewer.id}>
            <bdi>{viewer.id}</bdi>
          </b>
          <small>{formatRoles(viewer.roles)}</small>
        </span>
        <span aria-hidden>▾</span>
      </Button>
      <Popover className={style.popover!} placement="bottom end">
        <Menu
          className={style.menu!}
          selectionMode="single"
          selectedKeys={[signIn.kind === 'ROLE' ? signIn.role : signIn.kind]}
          onAction={(key) => {
            if (key === 'KEYS') onKeys();
            else if (key === 'OUT') switchUser(null);
            else if (key === 'DEVELOPER') switchUser({ kind: 'DEVELOPER' });
            else switchUser({ kind: 'ROLE', role: key as DevelopmentRole });
          }}
        >
          {development ? (
            <>
              <MenuItem id="DEVELOPER" className={style.item!}>
                {texts.frame.developer}
              </MenuItem>
              {DEVELOPMENT_ROLES.map((role) => (
                <MenuItem key={role} id={role} className={style.item!}>
                  {getLabel(ROLE_LABELS, role)}
                </MenuItem>
              ))}
            </>
          ) : (
            <MenuItem id="OUT" className={style.item!}>
              {texts.frame.signOut}
            </MenuItem>
          )}
          <MenuItem id="KEYS" className={style.item!}>
            {texts.frame.keys}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
