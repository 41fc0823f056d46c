// oauth4webapi: the same from its parts, with the signed parts checked: the
// access token as a JWT of RFC 9068, validated for its audience.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };

for (const algorithm of ['oauth2', 'oidc']) {
  const discovered = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  const server = await oauth.processDiscoveryResponse(issuer, discovered);

  for (const auth of [oauth.ClientSecretBasic(CLIENT_SECRET), oauth.ClientSecretPost(CLIENT_SECRET)]) {
    const response = await oauth.clientCredentialsGrantRequest(server, client, auth, {}, insecure);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const tokens = await oauth.processClientCredentialsResponse(server, client, response);

    const request = new Request('https://api.example.com/', { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, ISSUER, { ...insecure });
    assert.equal(claims.client_id, CLIENT_ID);
    assert.equal(claims.sub, CLIENT_ID);

    const introspected = await oauth.processIntrospectionResponse(server, client,
      await oauth.introspectionRequest(server, client, auth, tokens.access_token, insecure));
    assert.equal(introspected.active, true);
    assert.equal(introspected.jti, claims.jti);

    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, tokens.access_token, insecure));
    const gone = await oauth.processIntrospectionResponse(server, client,
      await oauth.introspectionRequest(server, client, auth, tokens.access_token, insecure));
    assert.deepEqual(gone, { active: false });
  }

  const refused = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretPost(CLIENT_SECRET), { scope: 'nothing-of-the-kind' }, insecure);
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, refused), (error) => {
    assert.equal(error.error, 'invalid_scope');
    assert.ok(error.error_description);
    return true;
  });
}
console.log('passed');
