// What stands around every page: the door (sign-in, a new password), the menu, and the head.
import { Layout } from 'antd';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Outlet, useLocation } from 'react-router';
import { useMe } from '../api/auth';
import { useLiveUpdates } from '../api/live';
import { useSession } from '../api/session';
import { Header } from './header';
import { SideMenu } from './side-menu';

const SignIn = lazy(async () => ({ default: (await import('../pages/sign-in/sign-in')).SignIn }));
const SignInAgain = lazy(async () => ({ default: (await import('../pages/sign-in/sign-in-again')).SignInAgain }));
const SetUp = lazy(async () => ({ default: (await import('../pages/sign-in/set-up')).SetUp }));

export function Shell() {
  return (
    <Suspense>
      <Door />
    </Suspense>
  );
}

function Door() {
  const session = useSession();
  if (session === 'out' || session === 'unknown') return <SignIn />;
  return <SignedIn expired={session === 'expired'} />;
}

function SignedIn({ expired }: { expired: boolean }) {
  const me = useMe(!expired);
  if (me.data?.must_change_password) return <SetUp />;
  return (
    <>
      <Rooms />
      <Suspense>{expired && <SignInAgain email={me.data?.email ?? ''} />}</Suspense>
    </>
  );
}

function Rooms() {
  const { t } = useTranslation();
  useLiveUpdates();
  const main = useFocusOnNewPage();
  return (
    <Layout className="shell">
      <a className="skip" href="#content">
        {t('nav.skip')}
      </a>
      <SideMenu />
      <Layout>
        <Header />
        <Layout.Content id="content" className="content" tabIndex={-1} ref={main}>
          <Outlet />
        </Layout.Content>
      </Layout>
    </Layout>
  );
}

/** Whoever uses a keyboard or a screen reader goes on in the new page, not in the menu. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const page = pathname.split('/').slice(0, 3).join('/');
  const shown = useRef(page);
  useEffect(() => {
    if (shown.current === page) return;
    shown.current = page;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [page]);
  return main;
}
