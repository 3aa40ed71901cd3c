// Makes a token, then shows it: once.
import { Alert, Button, Form, Input, InputNumber, Modal, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ProblemError, toProblem } from '../../api/problem';
import type { MadeToken } from '../../api/schema';
import { makeToken } from '../../api/tokens';
import { ProblemAlert } from '../../components/problem';
import { useFormats } from '../../format';
import { endOf, MAX_DAYS } from './expiry';
import { TokenOnce } from './token-once';

interface Fields {
  name: string;
  ends: 'days' | 'never';
  days: number;
}

const FIELD: Record<string, keyof Fields> = { name: 'name', expires_in_days: 'days' };

export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('tokens');
  const [form] = Form.useForm<Fields>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemError>();
  const [made, setMade] = useState<MadeToken>();
  const submit = async ({ name, ends, days }: Fields) => {
    setBusy(true);
    setProblem(undefined);
    try {
      setMade(await makeToken({ name: name.trim(), expires_in_days: ends === 'days' ? days : undefined }));
    } catch (error) {
      const refused = toProblem(error);
      const field = FIELD[refused.field ?? ''];
      field ? form.setFields([{ name: field, errors: [refused.message] }]) : setProblem(refused);
    } finally {
      setBusy(false);
    }
  };
  if (made) {
    return (
      <Modal
        open
        title={t('made_title', { name: made.name })}
        width={620}
        mask={{ closable: false }}
        keyboard={false}
        closable={false}
        footer={
          <Button type="primary" onClick={onClose}>
            {t('made_done')}
          </Button>
        }
      >
        <TokenOnce made={made} />
      </Modal>
    );
  }
  return (
    <Modal open title={t('make')} width={480} onCancel={onClose} okText={t('make')} confirmLoading={busy} onOk={() => form.submit()}>
      {problem && <ProblemAlert error={problem} />}
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: '', ends: 'days', days: 90 }}
        onFinish={(fields) => void submit(fields)}
      >
        <Form.Item name="name" label={t('name')} extra={t('name_hint')} rules={[{ required: true, whitespace: true, max: 100, message: t('name_rule') }]}>
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item name="ends" label={t('ends')} className="token-ends-choice">
          <Radio.Group
            options={[
              { value: 'days', label: t('ends_days') },
              { value: 'never', label: t('ends_never') },
            ]}
          />
        </Form.Item>
        <Expiry />
      </Form>
    </Modal>
  );
}

function Expiry() {
  const { t } = useTranslation('tokens');
  const { dateTime } = useFormats();
  const [now] = useState(Date.now);
  const form = Form.useFormInstance<Fields>();
  const ends = Form.useWatch('ends', form);
  const days = Form.useWatch('days', form);
  if (ends === 'never') return <Alert type="warning" showIcon title={t('never_why')} />;
  return (
    <Form.Item
      name="days"
      label={t('days')}
      extra={days ? t('ends_at', { time: dateTime(endOf(days, now)) }) : undefined}
      rules={[{ required: true, type: 'integer', min: 1, max: MAX_DAYS, message: t('days_rule', { most: MAX_DAYS }) }]}
    >
      <InputNumber min={1} precision={0} />
    </Form.Item>
  );
}
