// Every page, in widths, appearances and languages: nothing sticks out, axe finds nothing, and every control that is
// shown does something. Pictures go where LODGE_SCREENSHOTS says.
import assert from 'node:assert/strict';
import { picture } from '../browser.mjs';
import { APPS, CONSOLE, accessible, api, fits, play, signIn, token, upload } from './lib.mjs';

// All of them for pictures, a few that differ in everything for the tests.
const ALL = ['en', 'fr', 'ar'].flatMap((language) => ['light', 'dark'].flatMap((look) => [1440, 1024, 390].map((width) => [language, look, width])));
const FEW = [['en', 'light', 1440], ['fr', 'light', 1024], ['ar', 'dark', 390]];

await play(async (page) => {
  const bearer = await token();
  const ask = api(bearer);
  await prepare(bearer, ask);
  await signIn(page);
  const pages = await addresses(ask);
  const wrong = [];
  for (const [language, look, width] of process.env.LODGE_SCREENSHOTS ? ALL : FEW) {
    await page.evaluate(([language, look]) => {
      localStorage.setItem('lodge.language', language);
      localStorage.setItem('lodge.appearance', look);
    }, [language, look]);
    await page.setViewportSize({ width, height: 900 });
    for (const [name, path] of pages) {
      const what = `${name} ${language} ${look} ${width}`;
      await page.goto(CONSOLE + path);
      await settled(page);
      await picture(page, what.replaceAll(' ', '-'));
      // All that is wrong, not the first of it: one run is long.
      for (const check of [fits, accessible, headed]) await check(page, what).catch((error) => wrong.push(error.message));
      assert.equal(await page.evaluate(() => document.documentElement.dir), language === 'ar' ? 'rtl' : 'ltr');
    }
  }
  assert.ok(wrong.length === 0, wrong.join('\n\n'));
});

async function headed(page, what) {
  assert.equal(await page.locator('h1').count(), 1, `${what} has one heading of the first level`);
}

/** Apps in several states, with traffic, a failure and a log. */
async function prepare(bearer, ask) {
  const [hello, desk, trap] = [await upload(bearer, 'hello'), await upload(bearer, 'desk'), await upload(bearer, 'hello-p2')];
  const limits = { concurrency: 1, queue: 0 };
  await ask('POST', '/api/apps', { id: 'hello', display_name: 'Hello', component: { digest: hello }, tags: ['sample'], limits });
  await ask('POST', '/api/apps', {
    id: 'desk', display_name: 'Help desk', component: { digest: desk }, database: { kind: 'new_database' },
    config: { title: { value: 'Desk' }, webhook_secret: { value: 'x', secret: true } },
    domains: ['desk.example.com'], outbound_hosts: ['*.example.com'], tags: ['sample', 'production'],
  });
  await ask('POST', '/api/apps', { id: 'broken', display_name: 'Broken', component: { digest: trap }, limits: { memory_bytes: 1048576, instance_memory_bytes: 65536 } });
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 12 }, () => fetch(`${APPS}/apps/hello/`)));
    await fetch(`${APPS}/apps/desk/login`);
  }
  await fetch(`${APPS}/apps/broken/`);
}

async function addresses(ask) {
  const { items } = await ask('GET', '/api/components');
  const tabs = ['logs', 'component', 'limits', 'config', 'access', 'database', 'activity', 'settings', 'danger'];
  return [
    ['apps', '/apps'],
    ['new-app', '/apps/new'],
    ['app', '/apps/hello'],
    ['app-failed', '/apps/broken'],
    ...tabs.map((tab) => [`app-${tab}`, `/apps/desk/${tab}`]),
    ['components', '/components'],
    ['component', `/components/${items[0].digest}`],
    ['environments', '/environments'],
    ['activity', '/activity'],
    ['tokens', '/tokens'],
    ['settings', '/settings'],
    ['about', '/about'],
    ['nowhere', '/nowhere'],
  ];
}

/** Until what was asked for is there and nothing moves. */
async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.ant-skeleton, .ant-spin-spinning').length === 0);
  await page.waitForTimeout(400);
}
