import { CheckCircleFilled, CloseCircleFilled, LoadingOutlined, UploadOutlined } from '@ant-design/icons';
import { Button, Progress } from 'antd';
import { type DragEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { MAX_COMPONENT_BYTES, useComponents } from '../../api/components';
import type { Component } from '../../api/schema';
import { useFormats } from '../../format';
import { useUnsaved } from '../leave';
import { type Upload, useUpload } from '../upload';
import { CompileStatus } from './component';

/** Drop a `.wasm` here, or choose one; what becomes of it is told here too. */
export function DropWasm({ onDone }: { onDone: (component: Component) => void }) {
  const { t } = useTranslation('form');
  const { bytes } = useFormats();
  const { upload, send, stop } = useUpload(onDone);
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const status = useId();
  const busy = upload.state === 'sending' || upload.state === 'checking';
  useUnsaved(busy);
  const take = (files: FileList | null) => files?.[0] && send(files[0]);
  const drag = (event: DragEvent, inside: boolean) => {
    event.preventDefault();
    setOver(inside);
  };
  return (
    <div
      className={`drop ${over ? 'drop-over' : ''}`}
      onDragOver={(event) => drag(event, true)}
      onDragLeave={(event) => drag(event, false)}
      onDrop={(event) => {
        drag(event, false);
        take(event.dataTransfer.files);
      }}
    >
      <div className="drop-row">
        <input
          ref={input}
          type="file"
          accept=".wasm,application/wasm"
          className="unseen"
          tabIndex={-1}
          aria-hidden
          onChange={(event) => {
            take(event.target.files);
            // The same file, corrected, can be chosen again.
            event.target.value = '';
          }}
        />
        <Button icon={<UploadOutlined />} onClick={() => input.current?.click()} disabled={busy} aria-describedby={status}>
          {t('upload.choose')}
        </Button>
        <span className="soft">{t('upload.hint', { size: bytes(MAX_COMPONENT_BYTES) })}</span>
      </div>
      <div id={status} role="status">
        <UploadState upload={upload} onStop={stop} />
      </div>
    </div>
  );
}

function UploadState({ upload, onStop }: { upload: Upload; onStop: () => void }) {
  const { t } = useTranslation('form');
  const { bytes, percent } = useFormats();
  switch (upload.state) {
    case 'none':
      return null;
    case 'sending':
      return (
        <div className="drop-state">
          <span>{t('upload.sending', { name: upload.name })}</span>
          <Progress className="drop-progress" percent={upload.share * 100} size="small" format={() => percent(upload.share, 0)} aria-label={t('upload.sending', { name: upload.name })} />
          <Button size="small" onClick={onStop}>
            {t('common:action.cancel')}
          </Button>
        </div>
      );
    case 'checking':
      return (
        <div className="drop-state">
          <LoadingOutlined aria-hidden /> {t('upload.checking', { name: upload.name })}
        </div>
      );
    case 'too_large':
      return <Refused name={upload.name} why={t('upload.too_large', { size: bytes(upload.size), most: bytes(MAX_COMPONENT_BYTES) })} />;
    case 'refused':
      return <Refused name={upload.name} why={upload.problem.code === 'unreachable' ? t('upload.cut') : upload.problem.message} />;
    case 'done':
      return <Done uploaded={upload.component} />;
  }
}

function Refused({ name, why }: { name: string; why: string }) {
  const { t } = useTranslation('form');
  return (
    <div className="drop-state drop-refused">
      <CloseCircleFilled className="wrong" aria-hidden />
      <span>
        <strong>{t('upload.refused', { name })}</strong> {why}
      </span>
    </div>
  );
}

function Done({ uploaded }: { uploaded: Component }) {
  const { t } = useTranslation('form');
  const { duration } = useFormats();
  const library = useComponents();
  const now = library.data?.find((one) => one.digest === uploaded.digest) ?? uploaded;
  return (
    <div className="drop-state">
      <CheckCircleFilled className="good" aria-hidden />
      <span>
        {t('upload.done', { name: now.name, version: now.version })} <CompileStatus component={now} />
        {now.status === 'ready' && now.compile_ms != null && <span className="soft"> {t('upload.took', { time: duration(now.compile_ms) })}</span>}
      </span>
    </div>
  );
}
