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
  console.log(`scrolling 1,000 apps: ${frames.length} frames, median ${median(frames)} ms, ${slow} over 100 ms`);
  assert.ok(slow <= frames.length / 10, `${slow} of ${frames.length} frames took over 100 ms`);

  await page.getByRole('searchbox').or(page.getByPlaceholder(/Search by name/)).first().fill('shop-0777');
  await page.getByText(/1 of 1,000/).waitFor();
  assert.match(page.url(), /shop-0777/);
  await page.reload();
  await page.getByText(/1 of 1,000/).waitFor();
});

/** Milliseconds between frames while the table is scrolled from its head to its end. */
function scroll(page) {
  return page.evaluate(async () => {
    const body = document.querySelector('.ant-table-tbody-virtual-holder') ?? document.scrollingElement;
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
