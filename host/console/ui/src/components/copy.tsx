import { Typography } from 'antd';
import { useTranslation } from 'react-i18next';

/** A text that people copy: an ID, a digest, an address. `shown` is a shorter form of it. */
export function Copyable({ text, shown, code = true }: { text: string; shown?: string; code?: boolean }) {
  const { t } = useTranslation();
  return (
    <Typography.Text code={code} className="copyable" title={text} copyable={{ text, tooltips: [t('action.copy'), t('action.copied')] }}>
      <bdi>{shown ?? text}</bdi>
    </Typography.Text>
  );
}
