import { Button, Input } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { MAX_COMPONENT_BYTES } from '../../api/components';
import type { Component } from '../../api/schema';
import { useFormats } from '../../format';
import { nameFromFile, type Upload } from './upload-queue';
import { uploads } from './uploading';

interface Props {
  upload: Upload;
  component?: Component;
  /** What is typed as its name. */
  name: string | undefined;
  onName: (name: string) => void;
}

/** Why an upload was refused or its compile failed; one that lacks a name is given one here. */
export function Refusal({ upload: { id, file, phase, problem }, component, name, onName }: Props) {
  const { t } = useTranslation('components');
  const { bytes } = useFormats();
  const field = useId();
  if (phase === 'too_large') return <p className="upload-why">{t('uploads.too_large', { limit: bytes(MAX_COMPONENT_BYTES) })}</p>;
  if (component?.status === 'failed') return <p className="upload-why">{component.error}</p>;
  if (!problem) return null;
  if (problem.field === 'name') {
    const shown = name ?? nameFromFile(file.name);
    return (
      <>
        <p className="upload-why">{problem.message}</p>
        <form
          className="upload-name-form"
          onSubmit={(event) => {
            event.preventDefault();
            uploads.retry(id, shown.trim());
          }}
      >
          <label htmlFor={field}>{t('uploads.name')}</label>
          <Input id={field} value={shown} maxLength={100} required onChange={(event) => onName(event.target.value)} />
          <Button htmlType="submit" disabled={!shown.trim()}>
            {t('uploads.send_named')}
          </Button>
        </form>
      </>
    );
  }
  const reference = problem.reference && t('common:problem.reference', { reference: problem.reference });
  return (
    <>
      <p className="upload-why">{problem.code === 'unreachable' ? t('uploads.unreachable') : problem.message}</p>
      {problem.unknownImports.length > 0 && (
        <ul className="unknown-imports" aria-label={t('uploads.unknown_imports')}>
          {problem.unknownImports.map((one) => (
            <li key={one}>
              <code>{one}</code>
            </li>
          ))}
        </ul>
      )}
      {reference && <p className="soft upload-why">{reference}</p>}
    </>
  );
}
