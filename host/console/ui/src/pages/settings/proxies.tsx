import { CloseCircleFilled, WarningFilled } from '@ant-design/icons';
import { Alert, Select, Tag } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { TrustedProxies } from '../../api/schema';
import { FieldError } from '../../form/field';
import { checkCidr } from './cidr';
import { Section } from './section';

interface Props {
  settings: TrustedProxies;
  proxies: string[];
  onChange: (proxies: string[]) => void;
  /** What is wrong: with the list, or with entries of it. */
  errors: string[];
}

/** Proxies that are believed when they say who is behind them. */
export function Proxies({ settings, proxies, onChange, errors }: Props) {
  const { t } = useTranslation('settings');
  const id = useId();
  const everybody = proxies.some((one) => checkCidr(one) === 'everybody');
  return (
    <Section title={t('proxies.title')} about={t('proxies.about')}>
      {settings.configured ? (
        <>
          <Alert type="info" showIcon className="problem" title={t('proxies.configured')} />
          <ul className="proxies-fixed" aria-label={t('proxies.label')}>
            {settings.cidrs.map((one) => (
              <li key={one}>
                <code>{one}</code>
              </li>
            ))}
            {settings.cidrs.length === 0 && <li className="soft">{t('common:state.none')}</li>}
          </ul>
        </>
      ) : (
        <div className="field" data-path="trusted_proxies">
          <label htmlFor={id} className="field-label">
            {t('proxies.label')}
          </label>
          <Select
            id={id}
            mode="tags"
            open={false}
            suffixIcon={null}
            className="list-input"
            classNames={{ root: 'left-to-right' }}
            status={errors.length > 0 ? 'error' : undefined}
            aria-describedby={`${id}-help`}
            aria-invalid={errors.length > 0}
            placeholder="10.0.0.0/8"
            value={proxies}
            tokenSeparators={[',', ' ', '\n', ';']}
            onChange={(next: string[]) => onChange([...new Set(next.map((one) => one.trim()).filter(Boolean))])}
            tagRender={({ value, onClose }) => {
              const state = checkCidr(String(value));
              const look = { good: undefined, wrong: 'error', everybody: 'warning' }[state];
              const icon = state === 'good' ? undefined : state === 'wrong' ? <CloseCircleFilled /> : <WarningFilled />;
              return (
                <Tag closable onClose={onClose} color={look} icon={icon} className="list-item">
                  {value}
                </Tag>
              );
            }}
          />
          <div id={`${id}-help`} className="field-help">
            {t('proxies.help')}
          </div>
          {errors.map((text) => (
            <FieldError key={text} text={text} />
          ))}
          {everybody && <Alert type="warning" showIcon className="proxies-everybody" title={t('proxies.everybody')} />}
        </div>
      )}
    </Section>
  );
}
