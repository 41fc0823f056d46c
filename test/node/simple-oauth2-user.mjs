// simple-oauth2 for users. It knows OAuth alone: PKCE's parameters and the call of
// userinfo are the program's.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { AuthorizationCode } from 'simple-oauth2';
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, serve } from './loopback.mjs';

const { origin, pathname } = new URL(ISSUER);
const oauth2 = new AuthorizationCode({
  client: { id: CLIENT_ID, secret: CLIENT_SECRET },
  auth: {
    tokenHost: origin, tokenPath: `${pathname}/oauth2/token`, authorizePath: `${pathname}/oauth2/authorize`, revokePath: `${pathname}/oauth2/revoke`,
  },
});
const state = randomBytes(16).toString('hex');
const verifier = randomBytes(32).toString('base64url');

serve(() => oauth2.authorizeURL({
  redirect_uri: REDIRECT_URI, scope: SCOPE.split(' '), state,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
}), async (url) => {
  assert.equal(url.searchParams.get('state'), state);
  const token = await oauth2.getToken({ code: url.searchParams.get('code'), redirect_uri: REDIRECT_URI, code_verifier: verifier });
  const refreshed = await token.refresh();
  assert.equal(refreshed.expired(), false);
  const answer = await fetch(`${ISSUER}/oauth2/userinfo`, { headers: { Authorization: `Bearer ${refreshed.token.access_token}` } });
  assert.equal(answer.status, 200);
  return { userinfo: await answer.json(), tokens: token.token, refreshed: refreshed.token };
});
