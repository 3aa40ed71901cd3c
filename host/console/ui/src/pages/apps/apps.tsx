import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';

export function AppsPage() {
  const { t } = useTranslation('common');
  return <PageHeader title={t('nav.apps')} />;
}
