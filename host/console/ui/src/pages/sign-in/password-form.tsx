import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changePassword } from '../../api/auth';
import { toProblem } from '../../api/problem';

interface Fields {
  current: string;
  next: string;
  repeat: string;
}

const FIELD: Record<string, keyof Fields> = { current_password: 'current', new_password: 'next' };

/** The current password, and the new one twice. */
export function PasswordForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('auth');
  const [form] = Form.useForm<Fields>();
  const [busy, setBusy] = useState(false);
  const submit = async ({ current, next }: Fields) => {
    setBusy(true);
    try {
      await changePassword(current, next);
      onDone();
    } catch (error) {
      const problem = toProblem(error);
      form.setFields([{ name: FIELD[problem.field ?? ''] ?? 'current', errors: [problem.message] }]);
    } finally {
      setBusy(false);
    }
  };
  const required = { required: true, message: t('required') };
  return (
    <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={(fields) => void submit(fields)}>
      <Form.Item name="current" label={t('current')} rules={[required]}>
        <Input.Password autoComplete="current-password" autoFocus />
      </Form.Item>
      <Form.Item name="next" label={t('next')} extra={t('next_rule')} rules={[required, { min: 8, message: t('too_short') }]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="repeat"
        label={t('repeat')}
        dependencies={['next']}
        rules={[
          required,
          { validator: async (_, value) => (value === form.getFieldValue('next') ? undefined : Promise.reject(new Error(t('differs')))) },
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy} block>
        {t('common:action.save')}
      </Button>
    </Form>
  );
}
