// The dialog before anything is deleted: what is lost, the choice about the data, and a text to type.
import { Form, Input, Modal, Radio } from 'antd';
import { type ReactNode, useId, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import type { Data } from '../api/app-actions';
import { ProblemAlert } from './problem';

interface Props {
  open: boolean;
  title: string;
  /** What is to be deleted, where the title does not say it all. */
  children?: ReactNode;
  /** What must be typed. */
  typed: string;
  busy?: boolean;
  /** Why the last try was refused. */
  problem?: unknown;
  onDelete: (data: Data) => void;
  onCancel: () => void;
  afterClose?: () => void;
}

const CHOICES = ['keep', 'drop'] as const;

export default function DeletePrompt({ open, title, children, typed, busy, problem, onDelete, onCancel, afterClose }: Props) {
  const { t } = useTranslation('apps');
  const [data, setData] = useState<Data>('keep');
  const [text, setText] = useState('');
  const form = useId();
  const matches = text.trim() === typed;
  const submit = () => matches && !busy && onDelete(data);
  return (
    <Modal
      open={open}
      title={title}
      width={480}
      onCancel={onCancel}
      afterClose={afterClose}
      mask={{ closable: !busy }}
      okText={t(data === 'drop' ? 'delete_ok_drop' : 'delete_ok_keep')}
      okButtonProps={{ danger: true, disabled: !matches, loading: busy, htmlType: 'submit', form }}
      cancelText={t('common:action.cancel')}
    >
      <Form id={form} layout="vertical" onFinish={submit}>
        {problem !== undefined && <ProblemAlert error={problem} />}
        {children}
        <p>{t('delete_what')}</p>
        <Form.Item label={t('delete_data')}>
          <Radio.Group value={data} onChange={(event) => setData(event.target.value as Data)} aria-label={t('delete_data')} vertical>
            {CHOICES.map((choice) => (
              <Radio key={choice} value={choice}>
                <strong>{t(`data_${choice}`)}</strong>
                <span className="soft"> {t(`data_${choice}_why`)}</span>
              </Radio>
            ))}
          </Radio.Group>
        </Form.Item>
        <Form.Item
          htmlFor={`${form}-typed`}
          label={
            <span>
              <Trans t={t} i18nKey="common:confirm.type_to_confirm" values={{ text: typed }} components={{ b: <b /> }} />
            </span>
          }
        >
          <Input
            id={`${form}-typed`}
            value={text}
            onChange={(event) => setText(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
          />
        </Form.Item>
      </Form>
    </Modal>
  );
}
