import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useAbout } from '../../api/about';
import type { DatabaseEngine, DatabaseKind } from '../../api/schema';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { Field } from '../field';
import { UrlInput } from '../inputs/url-input';
import { TestDatabase } from './test-database';

const KINDS: DatabaseKind[] = ['none', 'new_database', 'new_schema', 'new_connection'];

export const ENGINE: Record<DatabaseEngine, string> = { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MariaDB' };

export function DatabaseFields() {
  const { t } = useTranslation('form');
  const { draft, change, app } = useFormContext();
  const service = useAbout().data?.apps_database;
  const { kind, engine, url } = draft.database;
  const choose = (next: DatabaseKind) => {
    const kept = next === 'new_connection' && app?.database.kind === 'new_connection';
    change({ database: { kind: next, engine: next === app?.database.kind ? (app.database.engine ?? null) : null, url: kept ? null : '' } });
  };
  const why = (one: DatabaseKind) => (one === 'new_schema' && service && service !== 'postgres' ? t('database.not_postgres', { engine: ENGINE[service] }) : undefined);
  const help = (one: DatabaseKind) => (one === 'new_database' && service ? t(`database.new_database_on`, { engine: ENGINE[service] }) : t(`database.${one}_help`));
  const onServer = kind === 'new_schema' || (kind === 'new_database' && (engine ?? service ?? 'sqlite') !== 'sqlite');
  return (
    <>
      <Choice<DatabaseKind>
        path="database.kind"
        label={t('database.label')}
        value={kind}
        onChange={choose}
        options={KINDS.map((value) => ({ value, label: t(`database.${value}`), help: help(value), why: kind === value ? undefined : why(value) }))}
      />
      {kind === 'new_database' && service && service !== 'sqlite' && (
        <EngineField service={service} value={engine} onChange={(next) => change({ database: { ...draft.database, engine: next } })} />
      )}
      {kind === 'new_connection' && (
        <Field path="database.url" label={t('database.url')} help={t('database.url_help')} required>
          {(input) => (
            <UrlInput
              input={input}
              value={url}
              stored={app?.database.kind === 'new_connection'}
              placeholder="postgres://user:password@db.example.com/name"
              onChange={(next) => change({ database: { ...draft.database, url: next } })}
            />
          )}
        </Field>
      )}
      {(kind === 'new_connection' || onServer) && <TestDatabase key={`${kind} ${url} ${engine}`} />}
    </>
  );
}

interface EngineProps {
  service: DatabaseEngine;
  value: DatabaseEngine | null;
  onChange: (value: DatabaseEngine | null) => void;
}

function EngineField({ service, value, onChange }: EngineProps) {
  const { t } = useTranslation('form');
  return (
    <Field path="database.engine" label={t('database.engine')} help={t('database.engine_help')}>
      {(input) => (
        <Select<DatabaseEngine>
          {...input}
          className="wide"
          value={value ?? service}
          onChange={(next) => onChange(next)}
          options={[...new Set([service, 'sqlite' as const])].map((one) => ({ value: one, label: ENGINE[one] }))}
        />
      )}
    </Field>
  );
}
