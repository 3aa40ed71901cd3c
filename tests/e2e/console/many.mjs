// A thousand apps in the table: found, sorted, and scrolled without a stutter.
import assert from 'node:assert/strict';
import { picture } from '../browser.mjs';
import { CONSOLE, api, play, signIn, token, upload } from './lib.mjs';

await play(async (page) => {
  const bearer = await token();
  const client = api(bearer);
  const digest = await upload(bearer, 'hello');
  for (let start = 0; start < 1000; start += 20) {
    const some = Array.from({ length: 20 }, (_, index) => start + index);
    await Promise.all(some.map((n) => {
      const id = `shop-${String(n).padStart(4, '0')}`;
      return client('POST', '/api/apps', { id, display_name: `Shop ${n}`, component: { digest }, tags: [n % 2 ? 'odd' : 'even'] });
    }));
  }
  await signIn(page);
  await page.getByText(/1,000 of 1,000/).waitFor();
  await picture(page, 'many');
  // Only what is seen is in the page.
  assert.ok((await page.getByRole('row').count()) < 100);

  const frames = await scroll(page);
  const slow = frames.filter((ms) => ms > 100).length;
  // A figure, not a test: machines are noisy. That only what is seen is drawn is the test.
  console.log(`scrolling 1,000 apps: ${frames.length} frames, median ${median(frames)} ms, ${slow} over 100 ms`);
  await page.evaluate(() => {
    const body = document.querySelector('.table-frame');
    body.scrollTop = body.scrollHeight;
  });
  await page.getByText('shop-0999').waitFor();
  assert.ok((await page.getByRole('row').count()) < 100);

  await page.getByRole('searchbox').or(page.getByPlaceholder(/Search by name/)).first().fill('shop-0777');
  await page.getByText(/1 of 1,000/).waitFor();
  await page.waitForURL(/shop-0777/);
  await page.reload();
  await page.getByText(/1 of 1,000/).waitFor();
});

/** Milliseconds between frames while the table is scrolled from its head to its end. */
function scroll(page) {
  return page.evaluate(async () => {
    const body = document.querySelector('.table-frame');
    const frames = [];
    let last = performance.now();
    for (let step = 0; step < 120; step += 1) {
      body.scrollTop += 400;
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    return frames;
  });
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)].toFixed(1);
}
