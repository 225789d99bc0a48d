/** Makes the passwords of the built-in stores, and the URLs that carry them, unless their Secret is there already. */
import { randomBytes } from 'node:crypto';
import { makeKubeApi } from './kube-api.mjs';

const { NAMESPACE, SECRET, POSTGRES_HOST, REDIS_HOST, KUBERNETES_URL, TOKEN_FILE } = process.env;

// In hexadecimal: it stands in URLs and in a Redis configuration, where other characters mean something.
const makePassword = () => randomBytes(24).toString('hex');
const postgres = makePassword();
const redis = makePassword();

const { status } = await makeKubeApi({ url: KUBERNETES_URL, tokenFile: TOKEN_FILE }).ask(
  'POST',
  `/api/v1/namespaces/${NAMESPACE}/secrets`,
  {
    known: [409],
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: SECRET,
        labels: { 'app.kubernetes.io/name': 'tollgate', 'app.kubernetes.io/component': 'stores' },
      },
      stringData: {
        'postgres-password': postgres,
        'database-url': `postgres://tollgate:${postgres}@${POSTGRES_HOST}/tollgate`,
        'redis.conf': `requirepass ${redis}\n`,
        'redis-url': `redis://:${redis}@${REDIS_HOST}`,
      },
    },
  },
);
console.log(status === 409 ? `Secret ${SECRET} is there already: left as it is` : `made Secret ${SECRET}`);
