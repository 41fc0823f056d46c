// npm's oidc-provider with its own in-memory adapter, as the benchmarks compare
// with it: two confidential clients, one with opaque and one with ES256 JWT
// access tokens, introspection and discovery. It prints its port once it serves,
// and for each line of its standard input refresh tokens of the client with JWTs,
// as if users had granted them.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Its notices would stand among the answers.
console.info = console.error;

const [secret] = process.argv.slice(2);
const resource = 'urn:bench';
const families = 100;
const client = (client_id, ...grants) => ({
  client_id,
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials', ...grants],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: 'ES256',
});
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

async function granted(provider, accountId) {
  const grant = new provider.Grant({ accountId, clientId: 'jwt' });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(resource, 'orders.read');
  const token = new provider.RefreshToken({
    accountId,
    client: await provider.Client.find('jwt'),
    grantId: await grant.save(),
    gty: 'authorization_code',
    resource,
    rotations: 0,
    scope: 'offline_access orders.read',
  });
  return token.save();
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [client('opaque'), client('jwt', 'refresh_token')],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: [secret] },
    scopes: ['offline_access', 'orders.read'],
    findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, { clientId }) => (clientId === 'jwt' ? resource : undefined),
        getResourceServerInfo: () => ({ scope: 'orders.read', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
  server.on('request', provider.callback());
  // Whoever started it has gone when the standard input ends.
  createInterface({ input: process.stdin })
    .on('line', async () => {
      const tokens = await Promise.all(Array.from({ length: families }, (_, i) => granted(provider, `person${i}`)));
      console.log(JSON.stringify(tokens));
    })
    .on('close', () => process.exit());
  console.log(port);
});
