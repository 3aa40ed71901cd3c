// The panel of what is being uploaded.
import { CheckCircleFilled, CloseCircleFilled, CloseOutlined, FileOutlined, LoadingOutlined, ReloadOutlined } from '@ant-design/icons';
import { Button, Card, Progress } from 'antd';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Component } from '../../api/schema';
import { useFormats } from '../../format';
import { Refusal } from './refusal';
import { hasEnded, type Upload } from './upload-queue';
import { uploads } from './uploading';

export function Uploads({ library }: { library: readonly Component[] }) {
  const { t } = useTranslation('components');
  const all = useSyncExternalStore(uploads.subscribe, uploads.get);
  useWarningOnLeave(all.some((one) => !hasEnded(one)));
  if (all.length === 0) return null;
  return (
    <Card
      className="uploads"
      size="small"
      title={<h2>{t('uploads.title')}</h2>}
      extra={
        all.some(hasEnded) && (
          <Button type="text" size="small" onClick={uploads.dismissEnded}>
            {t('uploads.dismiss_ended')}
          </Button>
        )
      }
    >
      <ul aria-live="polite">
        {all.map((one) => (
          <Row key={one.id} upload={one} component={library.find((other) => other.digest === one.component?.digest) ?? one.component} />
        ))}
      </ul>
    </Card>
  );
}

/** A file that breaks a rule (422) breaks it again: only what failed otherwise can be tried again as it is. */
function Row({ upload, component }: { upload: Upload; component?: Component }) {
  const { t } = useTranslation('components');
  const { bytes } = useFormats();
  const [name, setName] = useState<string>();
  const { id, file, phase } = upload;
  const dismiss = t(hasEnded(upload) ? 'uploads.dismiss' : 'uploads.give_up', { file: file.name });
  return (
    <li className="upload" data-phase={phase}>
      <FileOutlined className="upload-file" />
      <div className="upload-main">
        <div className="upload-line">
          <strong className="upload-name">{file.name}</strong>
          <span className="soft">{bytes(file.size)}</span>
          <State upload={upload} component={component} />
        </div>
        {phase === 'sending' && <Progress percent={Math.round(upload.sent * 100)} size="small" aria-label={t('uploads.sent', { file: file.name })} />}
        <Refusal upload={upload} component={component} name={name} onName={setName} />
      </div>
      <div className="upload-actions">
        {phase === 'refused' && upload.problem?.status !== 422 && (
          <Button size="small" icon={<ReloadOutlined />} onClick={() => uploads.retry(id, name)}>
            {t('common:action.retry')}
          </Button>
        )}
        <Button type="text" size="small" icon={<CloseOutlined />} aria-label={dismiss} title={dismiss} onClick={() => uploads.dismiss(id)} />
      </div>
    </li>
  );
}

/** Where it is, by icon and word. */
function State({ upload: { phase, known }, component }: { upload: Upload; component?: Component }) {
  const { t } = useTranslation('components');
  if (phase === 'taken' && component) {
    const look = { ready: 'good', failed: 'bad', queued: 'busy', compiling: 'busy' }[component.status];
    return (
      <span className={`upload-state upload-${look}`}>
        <StateIcon look={look} />
        <span>{known && component.status === 'ready' ? t('uploads.known') : t(`status.${component.status}`)}</span>
        <Link to={`/components/${component.digest}`}>
          {component.name} {component.version}
        </Link>
      </span>
    );
  }
  const look = phase === 'refused' || phase === 'too_large' ? 'bad' : 'busy';
  return (
    <span className={`upload-state upload-${look}`}>
      {phase !== 'waiting' && <StateIcon look={look} />}
      <span>{t(`uploads.${phase === 'too_large' ? 'refused' : phase === 'taken' ? 'checking' : phase}`)}</span>
    </span>
  );
}

function StateIcon({ look }: { look: string }) {
  if (look === 'good') return <CheckCircleFilled />;
  return look === 'bad' ? <CloseCircleFilled /> : <LoadingOutlined />;
}

/** Closing the tab would cut uploads short: the browser asks first. */
function useWarningOnLeave(busy: boolean) {
  useEffect(() => {
    if (!busy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [busy]);
}
