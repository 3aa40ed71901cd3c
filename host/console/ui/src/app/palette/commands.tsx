// What the palette can find.
import {
  ApiOutlined,
  AppstoreOutlined,
  BlockOutlined,
  CaretRightOutlined,
  CloudServerOutlined,
  ExportOutlined,
  GlobalOutlined,
  HistoryOutlined,
  InfoCircleOutlined,
  LogoutOutlined,
  MoonOutlined,
  PauseOutlined,
  PlusOutlined,
  QuestionCircleOutlined,
  ReloadOutlined,
  SettingOutlined,
  UploadOutlined,
} from '@ant-design/icons';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useApps } from '../../api/apps';
import { signOut } from '../../api/auth';
import { useComponents } from '../../api/components';
import type { AppAnswer } from '../../api/schema';
import { useRunAction } from '../../components/app-actions';
import { AppAvatar } from '../../components/app-avatar';
import { type Language, languages, speak } from '../../i18n';
import { useAppearance } from '../theme';
import type { Shortcut } from './shortcuts';

export interface Command {
  key: string;
  kind: 'page' | 'app' | 'component' | 'action';
  title: string;
  /** Shown small after the title. */
  detail?: string;
  /** Other words by which it is found. */
  others: string[];
  icon: ReactNode;
  /** The language that the title is in, if it is another one. */
  lang?: string;
  shortcut?: Shortcut;
  /** Whether it leads to another page, where the focus then belongs. */
  leaves?: boolean;
  /** Found only by searching, not in the list at the beginning. */
  searched?: boolean;
  run: () => void;
}

const PAGES: [path: string, icon: ReactNode, shortcut?: Shortcut][] = [
  ['apps', <AppstoreOutlined key="i" />, 'g a'],
  ['components', <BlockOutlined key="i" />, 'g c'],
  ['environments', <CloudServerOutlined key="i" />, 'g e'],
  ['activity', <HistoryOutlined key="i" />, 'g l'],
  ['tokens', <ApiOutlined key="i" />],
  ['settings', <SettingOutlined key="i" />],
  ['about', <InfoCircleOutlined key="i" />],
];

/** All that can be found at the moment. */
export function useCommands(showShortcuts: () => void): Command[] {
  const general = useGeneral(showShortcuts);
  const apps = useAppCommands();
  const components = useComponentCommands();
  return useMemo(() => [...general, ...apps, ...components], [general, apps, components]);
}

function useGeneral(showShortcuts: () => void): Command[] {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const [appearance, choose] = useAppearance();
  return useMemo(() => {
    const go = (path: string) => ({ leaves: true, run: () => void navigate(path) });
    const pages = PAGES.map(([page, icon, shortcut]): Command => {
      return { key: `page ${page}`, kind: 'page', title: t(`nav.${page}`), others: [page], icon, shortcut, ...go(`/${page}`) };
    });
    const action = (key: string, title: string, icon: ReactNode, run: () => void, more: Partial<Command> = {}): Command => {
      return { key, kind: 'action', title, others: [], icon, run, ...more };
    };
    const themes = (['system', 'light', 'dark'] as const)
      .filter((one) => one !== appearance)
      .map((one) => action(`theme ${one}`, t('palette.theme', { theme: t(`header.theme_${one}`) }), <MoonOutlined />, () => choose(one), { searched: true }));
    const tongues = Object.entries(languages)
      .filter(([code]) => code !== i18n.language)
      .map(([code, { name }]) =>
        action(`language ${code}`, t('palette.language', { language: name }), <GlobalOutlined />, () => void speak(code as Language), {
          others: [code],
          searched: true,
        }),
      );
    return [
      ...pages,
      action('add', t('palette.add_app'), <PlusOutlined />, () => void navigate('/apps/new'), { leaves: true, shortcut: 'n' }),
      action('upload', t('palette.upload'), <UploadOutlined />, () => void navigate('/components'), { leaves: true }),
      action('shortcuts', t('palette.shortcuts'), <QuestionCircleOutlined />, showShortcuts, { shortcut: '?' }),
      ...themes,
      ...tongues,
      action('out', t('header.sign_out'), <LogoutOutlined />, () => void signOut(), { leaves: true }),
    ];
  }, [t, i18n.language, navigate, appearance, choose, showShortcuts]);
}

function useAppCommands(): Command[] {
  const { t } = useTranslation('apps');
  const navigate = useNavigate();
  const act = useRunAction();
  const apps = useApps().data;
  return useMemo(() => {
    const of = (app: AppAnswer): Command[] => {
      const name = app.display_name;
      const others = [app.id, ...app.domains];
      const base = { detail: app.id, others, searched: true };
      const action = (key: string, title: string, icon: ReactNode, run: () => void): Command => {
        return { ...base, key: `${key} ${app.id}`, kind: 'action', title, icon, run };
      };
      const runs = app.desired === 'running';
      const url = app.urls[0];
      const commands: Command[] = [
        { ...base, key: `app ${app.id}`, kind: 'app', title: name, icon: <AppAvatar id={app.id} name={name} size={20} />, leaves: true, run: () => void navigate(`/apps/${app.id}`) },
      ];
      if (!runs) commands.push(action('start', t('start_app', { name }), <CaretRightOutlined />, () => void act(app, 'start')));
      if (runs) {
        commands.push(action('stop', t('stop_app', { name }), <PauseOutlined />, () => void act(app, 'stop')));
        commands.push(action('restart', t('common:palette.restart_app', { name }), <ReloadOutlined />, () => void act(app, 'restart')));
        if (url) commands.push(action('visit', t('common:palette.visit_app', { name }), <ExportOutlined />, () => window.open(url, '_blank', 'noopener')));
      }
      return commands;
    };
    return (apps ?? []).flatMap(of);
  }, [apps, t, navigate, act]);
}

function useComponentCommands(): Command[] {
  const navigate = useNavigate();
  const components = useComponents().data;
  return useMemo(
    () =>
      (components ?? []).map((one): Command => {
        const run = () => void navigate(`/components/${one.digest}`);
        return { key: `component ${one.digest}`, kind: 'component', title: one.name, detail: one.version, others: [one.version], icon: <BlockOutlined />, searched: true, leaves: true, run };
      }),
    [components, navigate],
  );
}
