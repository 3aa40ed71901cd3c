// What the first page needs; rest.ts has the others.
import apps from './apps.json';
import auth from './auth.json';
import common from './common.json';

export default { apps, auth, common };
