// The pictures of the README: node pictures.mjs FOLDER, with CONSOLE, APPS, EMAIL, PASSWORD and GUESTS of a fresh host.
import { join } from 'node:path';
import { APPS, CONSOLE, api, play, signIn, token, upload } from './lib.mjs';

const folder = process.argv[2];

await play(async (page) => {
  const bearer = await token();
  const client = api(bearer);
  const of = {};
  for (const name of ['hello', 'desk', 'stream', 'notes-js', 'hello-p2']) of[name] = { digest: await upload(bearer, name) };
  const apps = [
    { id: 'shop', display_name: 'Corner shop', component: of.hello, domains: ['shop.example.com'], tags: ['production'] },
    { id: 'desk', display_name: 'Help desk', component: of.desk, database: { kind: 'new_database' }, tags: ['production'], domains: ['help.example.com', 'desk.example.com'] },
    { id: 'newsletter', display_name: 'Newsletter', component: of.stream, limits: { concurrency: 2, queue: 1, cpu_cores: 0.5 }, tags: ['production'] },
    { id: 'notes', display_name: 'Team notes', component: of['notes-js'], database: { kind: 'new_database' }, tags: ['internal'] },
    { id: 'intranet', display_name: 'Intranet', component: of.hello, start_mode: 'with_host', tags: ['internal'] },
    { id: 'old-wiki', display_name: 'Old wiki', component: of.hello, desired: 'stopped', tags: ['internal'] },
    { id: 'reports', display_name: 'Reports', component: of['hello-p2'], limits: { memory_bytes: 1048576, instance_memory_bytes: 65536 } },
  ];
  for (const app of apps) await client('POST', '/api/apps', app);
  await fetch(`${APPS}/apps/reports/`);
  await traffic(75_000);
  await signIn(page);
  const take = async (name, path, { width = 1440, height = 900, language = 'en', look = 'light' } = {}) => {
    await page.evaluate(([language, look]) => {
      localStorage.setItem('lodge.language', language);
      localStorage.setItem('lodge.appearance', look);
    }, [language, look]);
    await page.setViewportSize({ width, height });
    await page.goto(CONSOLE + path);
    await page.locator('h1').first().waitFor();
    const still = traffic(7_000);
    await page.waitForTimeout(6_500);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await still;
  };
  await take('apps', '/apps');
  await take('app', '/apps/newsletter', { height: 1000 });
  await take('new-app', '/apps/new', { height: 1000 });
  await take('logs', '/apps/reports/logs', { look: 'dark' });
  await take('components', `/components/${of.desk.digest}`);
  await take('arabic', '/apps', { language: 'ar', look: 'dark' });
});

/** Visits of several apps, some of them more than they take. */
async function traffic(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const visits = ['shop', 'shop', 'shop', 'intranet', 'desk', 'notes'].map((app) => fetch(`${APPS}/apps/${app}/`));
    const held = Array.from({ length: Math.random() < 0.3 ? 5 : 2 }, async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 900);
      await fetch(`${APPS}/apps/newsletter/events`, { signal: stop.signal }).then((answer) => answer.text()).catch(() => undefined);
    });
    await Promise.all([...visits, ...held].map((one) => one.catch(() => undefined)));
    await new Promise((wake) => setTimeout(wake, 150));
  }
}
