// The database part of the form, against a real PostgreSQL: each kind makes what it says.
import assert from 'node:assert/strict';
import { picture } from '../browser.mjs';
import { APPS, CONSOLE, api, guest, play, signIn, token } from './lib.mjs';

const OTHER = process.env.OTHER_DATABASE;

await play(async (page) => {
  const client = api(await token());
  await signIn(page, '/apps/new');
  await begin(page, 'fresh', 'New database');
  await create(page);
  assert.deepEqual((await client('GET', '/api/apps/fresh')).database, { kind: 'new_database', engine: 'postgres' });
  await used('fresh');

  await page.goto(`${CONSOLE}/apps/new`);
  await begin(page, 'schema', 'New schema');
  await create(page);
  assert.equal((await client('GET', '/api/apps/schema')).database.kind, 'new_schema');
  await used('schema');

  // A connection is tried before it is used: a wrong one says what is wrong, by its field.
  await page.goto(`${CONSOLE}/apps/new`);
  await begin(page, 'elsewhere', 'New connection');
  const url = page.getByLabel('Database URL');
  await url.fill('postgres://nobody:wrong@127.0.0.1:1/none');
  await page.getByRole('button', { name: 'Test the database' }).click();
  await page.getByText(/cannot be reached: 127.0.0.1:1/).waitFor();
  await picture(page, 'databases-refused');
  await url.fill(OTHER);
  await page.getByRole('button', { name: 'Test the database' }).click();
  await page.getByText(/PostgreSQL .* answered in/).waitFor();
  await picture(page, 'databases-tested');

  // Its page shows what it uses.
  await page.goto(`${CONSOLE}/apps/fresh/database`);
  await page.getByRole('button', { name: 'Leave' }).click({ timeout: 2_000 }).catch(() => undefined);
  await page.getByText('PostgreSQL').first().waitFor();
  await picture(page, 'databases-report');
});

async function begin(page, id, kind) {
  await page.getByLabel('Display name').fill(id);
  await page.locator('input[type=file]').first().setInputFiles(guest('desk'));
  await page.getByText(/Uploaded as desk/).waitFor();
  await page.getByText(kind, { exact: true }).click();
}

async function create(page) {
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.waitForURL(/\/apps\/(?!new)/);
}

async function used(app) {
  const answer = await fetch(`${APPS}/apps/${app}/login`);
  assert.equal(answer.status, 200, await answer.text());
}
