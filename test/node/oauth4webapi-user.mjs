// oauth4webapi for users, with what it checks of a signed id_token and of the
// answer's issuer (RFC 9207); a public client where there is no secret.
import * as oauth from 'oauth4webapi';
import { CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPE, serve } from './loopback.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };
const auth = CLIENT_SECRET ? oauth.ClientSecretPost(CLIENT_SECRET) : oauth.None();
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const expectedNonce = oauth.generateRandomNonce();

serve(async () => {
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, response_type: 'code', scope: SCOPE, state, nonce: expectedNonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  return url;
}, async (url) => {
  const parameters = oauth.validateAuthResponse(server, client, url, state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, REDIRECT_URI, verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, answer, insecure);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const refreshed = await oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token, insecure));
  const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub,
    await oauth.userInfoRequest(server, client, refreshed.access_token, insecure));
  return { claims, userinfo, tokens, refreshed };
});
