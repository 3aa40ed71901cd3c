import { CopyOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { About } from '../../api/schema';
import { reportOf } from './report';

export function CopyReport({ about }: { about: About }) {
  const { t } = useTranslation('about');
  const { message, modal } = App.useApp();
  const copy = async () => {
    const text = reportOf(about, navigator.userAgent);
    try {
      await navigator.clipboard.writeText(text);
      void message.success(t('copied'));
    } catch {
      // Without a secure connection browsers refuse: the text is shown instead.
      modal.info({ title: t('copy'), content: <pre className="report">{text}</pre>, width: 640 });
    }
  };
  return (
    <Button icon={<CopyOutlined />} onClick={() => void copy()}>
      {t('copy')}
    </Button>
  );
}
