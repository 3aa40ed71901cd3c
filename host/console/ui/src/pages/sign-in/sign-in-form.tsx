import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signIn } from '../../api/auth';
import { type ProblemError, toProblem } from '../../api/problem';
import { ProblemAlert } from '../../components/problem';
import { useFormats } from '../../format';

interface Fields {
  email: string;
  password: string;
}

/** Email and password; `email` fixed where a session is renewed. */
export function SignInForm({ email }: { email?: string }) {
  const { t } = useTranslation('auth');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemError>();
  const submit = async (fields: Fields) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(email ?? fields.email, fields.password);
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  };
  const required = [{ required: true, message: t('required') }];
  return (
    <Form<Fields> layout="vertical" requiredMark={false} onFinish={(fields) => void submit(fields)} initialValues={{ email }}>
      {problem && <Refusal problem={problem} />}
      <Form.Item name="email" label={t('email')} rules={required}>
        <Input type="email" autoComplete="username" autoFocus={!email} disabled={!!email} />
      </Form.Item>
      <Form.Item name="password" label={t('password')} rules={required}>
        <Input.Password autoComplete="current-password" autoFocus={!!email} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy} block>
        {t('sign_in')}
      </Button>
    </Form>
  );
}

function Refusal({ problem }: { problem: ProblemError }) {
  const { t } = useTranslation('auth');
  const { duration } = useFormats();
  if (problem.status === 401) return <Alert type="error" showIcon title={t('wrong')} className="problem" />;
  if (problem.status === 429) {
    const wait = duration((problem.retryAfter ?? 60) * 1_000);
    return <Alert type="warning" showIcon title={t('too_many', { wait })} className="problem" />;
  }
  return <ProblemAlert error={problem} />;
}
