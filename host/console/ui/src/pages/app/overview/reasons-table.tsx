import { Card } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { reasonsOf } from '../../../api/samples';
import type { AppAnswer, MeterSnapshot } from '../../../api/schema';
import { useFormats } from '../../../format';
import { isKnown, remedy, remedyPath } from './reasons';

/** Requests that failed since the host started, by reason. */
export function Reasons({ app, stats }: { app: AppAnswer; stats: MeterSnapshot }) {
  const { t } = useTranslation('app');
  const { number } = useFormats();
  const reasons = reasonsOf(stats);
  if (reasons.length === 0) return null;
  return (
    <Card className="reasons" title={<h2>{t('reasons.title')}</h2>}>
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">{t('reasons.reason')}</th>
            <th scope="col" className="code-column">
              {t('reasons.code')}
            </th>
            <th scope="col" className="number">
              {t('reasons.count')}
            </th>
          </tr>
        </thead>
        <tbody>
          {reasons.map(([code, count]) => (
            <tr key={code}>
              <td>
                <code className="under-reason">{code}</code>
                {t(`reasons.words.${isKnown(code) ? code : 'other'}`)} <Remedy code={code} id={app.id} />
              </td>
              <td className="code-column">
                <code>{code}</code>
              </td>
              <td className="number">{number(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="soft reasons-since">{t('reasons.since')}</p>
    </Card>
  );
}

function Remedy({ code, id }: { code: string; id: string }) {
  const { t } = useTranslation('app');
  const go = remedy(code);
  return go && <Link to={remedyPath(go, id)}>{t(`now.go_${go}`)}</Link>;
}
