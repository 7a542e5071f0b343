// An application with Unleash's own SDK: asks for a flag 20 times a second, fetches flags and reports every second.
// node unleash_app.js URL TOKEN FLAG [deaf]   (a deaf one fetches once and never again)
const { InMemStorageProvider, Unleash } = require('unleash-client');

const [url, token, flag, deaf] = process.argv.slice(2);
const unleash = new Unleash({
  url: `${url}/api/`,
  appName: 'churn-server',
  refreshInterval: deaf ? 3600000 : 1000,
  metricsInterval: 1000,
  customHeaders: { Authorization: token },
  storageProvider: new InMemStorageProvider(),
});
unleash.on('error', (error) => console.error(error));
unleash.on('synchronized', () => setInterval(() => unleash.isEnabled(flag), 50));
