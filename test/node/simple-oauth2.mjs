// simple-oauth2, in each of its two ways to authenticate and encodings of the header.
import assert from 'node:assert/strict';
import { ClientCredentials } from 'simple-oauth2';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, STRICT } = process.env;
const { origin, pathname } = new URL(ISSUER);

for (const options of [
  { authorizationMethod: 'header', credentialsEncodingMode: 'strict' },
  // `loose` puts the credentials into the header as they are.
  ...(STRICT ? [] : [{ authorizationMethod: 'header', credentialsEncodingMode: 'loose' }]),
  { authorizationMethod: 'body' },
]) {
  const oauth2 = new ClientCredentials({
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    auth: { tokenHost: origin, tokenPath: `${pathname}/oauth2/token`, revokePath: `${pathname}/oauth2/revoke` },
    options,
  });
  const token = await oauth2.getToken({});
  assert.equal(token.token.token_type, 'Bearer');
  assert.equal(token.expired(), false);
  console.log('token', token.token.access_token);
  await (await oauth2.getToken({})).revoke('access_token');
}

const wrong = new ClientCredentials({
  client: { id: CLIENT_ID, secret: 'wrong' },
  auth: { tokenHost: origin, tokenPath: `${pathname}/oauth2/token` },
});
await assert.rejects(wrong.getToken({}), (error) => {
  assert.equal(error.output.statusCode, 401);
  assert.equal(error.data.payload.error, 'invalid_client');
  return true;
});
console.log('passed');
