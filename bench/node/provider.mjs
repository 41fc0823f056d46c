// npm's oidc-provider with its own in-memory adapter, as the benchmarks compare
// with it: two confidential clients, one with opaque and one with ES256 JWT
// access tokens, introspection and discovery. It prints its port once it serves.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [secret] = process.argv.slice(2);
const client = (client_id) => ({
  client_id,
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: 'ES256',
});
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

// Whoever started it has gone when the standard input ends.
process.stdin.resume().on('end', () => process.exit());

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [client('opaque'), client('jwt')],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: [secret] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, { clientId }) => (clientId === 'jwt' ? 'urn:bench' : undefined),
        getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(port);
});
