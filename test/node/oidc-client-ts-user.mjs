// oidc-client-ts in a page: a public client, its calls cross-origin. It refreshes by
// the refresh token, then without one: in a frame, with prompt=none.
import { readFile } from 'node:fs/promises';
import { CLIENT_ID, ISSUER, listen, REDIRECT_URI, SCOPE } from './loopback.mjs';

const library = await readFile(new URL('./node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url));
const settings = {
  authority: ISSUER, client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, scope: SCOPE,
  loadUserInfo: true, automaticSilentRenew: false, filterProtocolClaims: false,
};

function program(settings) {
  const manager = new oidc.UserManager(settings);
  const kept = ({ access_token, refresh_token, id_token, profile }) => ({ access_token, refresh_token, id_token, profile });
  async function returned() {
    const user = await manager.signinRedirectCallback();
    const { profile } = user;
    const refreshed = await manager.signinSilent();
    await manager.storeUser(new oidc.User({ ...refreshed, refresh_token: undefined }));
    const silent = await manager.signinSilent({ silentRequestTimeoutInSeconds: 15 });
    return { claims: profile, userinfo: profile, tokens: kept(user), refreshed: kept(refreshed), silent: kept(silent) };
  }
  async function run() {
    if (window.self !== window.top) return manager.signinSilentCallback();
    if (location.pathname === '/') return manager.signinRedirect();
    const result = await returned().catch((error) => ({ error: `${error.stack} ${JSON.stringify(error)}` }));
    const shown = document.createElement('pre');
    shown.id = 'result';
    shown.textContent = JSON.stringify(result);
    return document.body.append(shown);
  }
  run();
}

const html = `<!doctype html><title>Program</title><body><script src="/oidc-client-ts.js"></script>
<script>(${program})(${JSON.stringify(settings)})</script></body>`;

listen((request, response) => {
  if (request.url === '/oidc-client-ts.js') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(library);
  } else if (request.url === '/favicon.ico') {
    response.writeHead(404).end();
  } else {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
  }
});
