// Two desks side by side, as people use them.
//
// node desk.mjs ENGINE FIRST SECOND BY_PATH: the engine's name (for pictures), the addresses of two desks, and
// the first one's address by path.
import assert from 'node:assert/strict';
import { picture, withBrowser } from './browser.mjs';

const [engine, first, second, byPath] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await context.newPage();
  const failures = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && failures.push(message.text()));
  const problems = () => failures.filter((text) => !text.includes('favicon') && !text.includes('422'));

  // Signed out, one is led to the door.
  await page.goto(first);
  assert.equal(new URL(page.url()).pathname, '/login');
  await signUp(page, 'Ada', 'ada@example.com');
  await page.getByText('No tickets here').waitFor();
  await picture(page, `desk-${engine}-empty`);

  await writeTicket(page, 'Printer on fire', 'Smoke & <b>flames</b>');
  await page.getByText('Smoke & <b>flames</b>').waitFor();
  await page.getByLabel('Comment').fill('Water?\nNo: foam.');
  await page.getByRole('button', { name: 'Comment' }).click();
  await page.locator('.comment').getByText('No: foam.').waitFor();
  await page.getByRole('button', { name: 'Mark as closed' }).click();
  await page.locator('.state.closed').waitFor();
  await picture(page, `desk-${engine}-ticket`);

  await writeTicket(page, 'New chair', 'The old one squeaks');
  await page.getByRole('link', { name: 'Tickets' }).click();
  assert.equal(await page.locator('tbody tr').count(), 2);
  await page.getByLabel('Search').fill('SQUEAK');
  await page.getByRole('button', { name: 'Search' }).click();
  assert.deepEqual(await page.locator('tbody td:nth-child(2)').allTextContents(), ['New chair']);
  await page.getByLabel('Search').fill('');
  await page.getByLabel('State').selectOption('closed');
  await page.getByRole('button', { name: 'Search' }).click();
  assert.deepEqual(await page.locator('tbody td:nth-child(2)').allTextContents(), ['Printer on fire']);
  await picture(page, `desk-${engine}-list`);

  // The first to sign up looks after the desk.
  await page.getByRole('link', { name: 'Admin' }).click();
  assert.match(page.url(), /\/admin\/$/);
  await page.getByRole('cell', { name: 'ada@example.com' }).waitFor();
  await picture(page, `desk-${engine}-admin`);

  // The second desk knows nobody of the first.
  await page.goto(second);
  assert.equal(new URL(page.url()).pathname, '/login');
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('No account').waitFor();
  await signUp(page, 'Bob', 'bob@example.com');
  await page.getByText('No tickets here').waitFor();

  // By path it is the same desk, and its links lead there.
  await page.goto(byPath);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'New chair' }).click();
  assert.ok(page.url().startsWith(byPath), page.url());
  await page.getByText('The old one squeaks').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual(problems(), []);
});

async function signUp(page, name, email) {
  await page.getByRole('navigation').getByRole('link', { name: 'Sign up' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Sign up' }).click();
}

async function writeTicket(page, title, text) {
  await page.getByRole('link', { name: 'New ticket' }).click();
  await page.getByLabel('Title').fill(title);
  await page.getByLabel('What is it about?').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}
