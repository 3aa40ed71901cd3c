import { CheckCircleFilled, CloseCircleFilled, InfoCircleFilled, WarningFilled } from '@ant-design/icons';
import { Card } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Sample } from '../../../api/samples';
import type { AppAnswer } from '../../../api/schema';
import { type Formats, useFormats } from '../../../format';
import { remedyPath } from './reasons';
import { type Holes, type Sentence, sentences, type Tone } from './sentences';

const ICON: Record<Tone, ReactNode> = {
  good: <CheckCircleFilled />,
  info: <InfoCircleFilled />,
  warning: <WarningFilled />,
  error: <CloseCircleFilled />,
};

/** What the app is doing at this moment, and why. */
export function Now({ app, samples }: { app: AppAnswer; samples: Sample[] }) {
  const { t } = useTranslation('app');
  return (
    <Card className="now" title={<h2>{t('now.title')}</h2>}>
      <ul className="sentences">
        {sentences(app, samples).map((sentence, index) => (
          <Line key={`${sentence.key}-${index}`} sentence={sentence} app={app} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ sentence, app }: { sentence: Sentence; app: AppAnswer }) {
  const { t } = useTranslation('app');
  const formats = useFormats();
  const [url] = app.urls;
  return (
    <li className={`sentence tone-${sentence.tone}`}>
      <span className="sentence-icon" role="img" aria-label={t(`now.tone_${sentence.tone}`)}>
        {ICON[sentence.tone]}
      </span>
      <span>
        {sentence.place && (
          <span className="sentence-place">
            <bdi>{sentence.place}</bdi>:{' '}
          </span>
        )}
        {t(`now.${sentence.key}`, written(sentence.holes, formats))}{' '}
        {sentence.go && <Link to={remedyPath(sentence.go, app.id)}>{t(`now.go_${sentence.go}`)}</Link>}
        {sentence.key === 'waiting_visit' && url && (
          <a href={url} target="_blank" rel="noreferrer">
            {t('now.visit')}
          </a>
        )}
      </span>
    </li>
  );
}

/** The holes of a sentence as the person's language writes them; `count` stays a number too, for the plural. */
function written(holes: Holes, formats: Formats): Record<string, string | number> {
  const texts: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(holes)) {
    if (typeof value !== 'number') texts[name] = value;
    else if (name === 'count') Object.assign(texts, { count: value, number: formats.number(value, 0) });
    else if (name === 'share') texts[name] = formats.percent(value, 0);
    else if (name === 'cores') texts[name] = formats.cores(value);
    else if (name.endsWith('bytes')) texts[name] = formats.bytes(value);
    // How far back is told in whole seconds.
    else if (name === 'window_ms') texts[name] = formats.duration(Math.max(1, Math.round(value / 1_000)) * 1_000);
    else if (name.endsWith('_ms')) texts[name] = formats.duration(value);
    else texts[name] = formats.number(value, 0);
  }
  return texts;
}
