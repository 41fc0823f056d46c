// openid-client v6 as a confidential client: discovery by either document,
// client credentials by both methods of authentication, introspection, revocation.
import assert from 'node:assert/strict';
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;

for (const algorithm of ['oauth2', 'oidc']) {
  for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
    const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, method(CLIENT_SECRET), {
      algorithm,
      execute: [client.allowInsecureRequests],
    });
    assert.equal(config.serverMetadata().issuer, ISSUER);

    const tokens = await client.clientCredentialsGrant(config);
    assert.equal(tokens.token_type, 'bearer');
    assert.equal(tokens.expires_in, 3600);

    const before = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(before.active, true);
    assert.equal(before.client_id, CLIENT_ID);
    assert.equal(before.iss, ISSUER);

    await client.tokenRevocation(config, tokens.access_token);
    const after = await client.tokenIntrospection(config, tokens.access_token);
    assert.deepEqual(after, { active: false });
  }
}

const wrong = await client.discovery(new URL(ISSUER), CLIENT_ID, 'wrong', client.ClientSecretBasic('wrong'), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests],
});
await assert.rejects(client.clientCredentialsGrant(wrong), (error) => {
  // With Basic, openid-client reads the challenge before the body.
  assert.ok(error instanceof client.WWWAuthenticateChallengeError || error.error === 'invalid_client', String(error));
  assert.equal(error.status, 401);
  return true;
});
console.log('passed');
