import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../components/page-header';

export function ComponentsPage() {
  const { t } = useTranslation('common');
  return <PageHeader title={t('nav.components')} />;
}
