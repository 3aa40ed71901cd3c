import { App, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { PasswordForm } from './password-form';

export function ChangePassword({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('auth');
  const { message } = App.useApp();
  const done = () => {
    void message.success(t('changed'));
    onClose();
  };
  return (
    <Modal open title={t('change_title')} onCancel={onClose} footer={null} width={420}>
      <PasswordForm onDone={done} />
    </Modal>
  );
}
