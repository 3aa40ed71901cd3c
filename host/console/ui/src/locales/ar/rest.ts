import about from './about.json';
import activity from './activity.json';
import app from './app.json';
import components from './components.json';
import environments from './environments.json';
import form from './form.json';
import settings from './settings.json';
import tokens from './tokens.json';

export default { about, activity, app, components, environments, form, settings, tokens };
