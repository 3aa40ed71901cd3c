// The API client's types are those of the OpenAPI document: fails when they are not.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'lodge-api-'));
const fresh = join(folder, 'schema.d.ts');
const command = JSON.parse(readFileSync('package.json', 'utf8')).scripts.api.replace('src/api/schema.d.ts', fresh);
execFileSync('npx', ['--no-install', ...command.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] });
const same = readFileSync(fresh, 'utf8') === readFileSync('src/api/schema.d.ts', 'utf8');
rmSync(folder, { recursive: true });
if (!same) {
  console.error('src/api/schema.d.ts is not what docs/openapi.json says: run `npm run api` in host/console/ui');
  process.exit(1);
}
