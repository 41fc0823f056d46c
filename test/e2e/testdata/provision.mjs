// Provisions API clients through the Akamai Identity Cloud Configuration API.
//
//   HOST=v1.api.us.janraincapture.com APP_ID=… CLIENT_ID=… CLIENT_SECRET=… node provision.mjs
//
// CLIENT_ID must have the owner feature. Needs nothing but Node 18.
import assert from 'node:assert/strict';

const { HOST, APP_ID, CLIENT_ID, CLIENT_SECRET } = process.env;
const base = `https://${HOST}/config/${APP_ID}`;
const authorization = 'Basic ' + Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64');

class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// An empty 2xx body is success; everything else is JSON.
async function api(method, path, document) {
  const response = await fetch(base + path, {
    method,
    headers: { Authorization: authorization, ...(document && { 'Content-Type': 'application/json' }) },
    body: document && JSON.stringify(document),
  });
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new ApiError(response.status, body.errors);
  return body;
}

const fails = (status, message, promise) =>
  assert.rejects(promise, (error) => error.status === status && error.message === message);

const exporter = await api('POST', '/clients', {
  name: 'Nightly export',
  features: ['direct_read_access'],
  ipWhitelist: ['0.0.0.0/0', '::/0'],
});
assert.equal(exporter._self, `/config/${APP_ID}/clients/${exporter._id}`);
assert.equal(exporter._settings, `${exporter._self}/settings`);
assert.match(exporter._id, /^[a-hj-km-np-z2-9]{32}$/);
assert.match(exporter._secret, /^[a-hj-km-np-z2-9]{32}$/);
console.log('export', exporter._id, exporter._secret);

const login = await api('POST', '/clients', { name: 'Web site', features: ['login_client'] });
assert.deepEqual(login.ipWhitelist, ['0.0.0.0/0']);
console.log('login', login._id);

const issuer = await api('POST', '/clients', { name: 'Token issuer', features: ['access_issuer', 'direct_access'] });
console.log('issuer', issuer._id, issuer._secret);

await fails(409, 'API client nightly EXPORT already exists.', api('POST', '/clients', { name: ' nightly EXPORT ' }));
await fails(400, 'Missing data for required field.', api('POST', '/clients'));
await fails(400, 'Not a valid string.', api('POST', '/clients', { name: 7 }));
await fails(400, 'Not a valid feature name.', api('POST', '/clients', { name: 'X', features: ['superuser'] }));

const all = await api('GET', '/clients');
assert.deepEqual(all.map((c) => c._id), [CLIENT_ID, exporter._id, login._id, issuer._id]);
const some = await api('GET', '/clients?has_feature=access_issuer&has_feature=direct_access');
assert.deepEqual(some.map((c) => c._id), [issuer._id]);

// Read, change, put the whole object back, `_` keys and all.
const read = await api('GET', `/clients/${exporter._id}`);
const changed = await api('PUT', `/clients/${exporter._id}`, { ...read, name: 'Nightly export (EU)', ipWhitelist: ['127.0.0.0/8'] });
assert.deepEqual(changed, { ...read, name: 'Nightly export (EU)', ipWhitelist: ['127.0.0.0/8'] });
await fails(403, 'An owner cannot remove the owner feature from itself.', api('PUT', `/clients/${CLIENT_ID}`, { name: 'Owner' }));

await api('PUT', `/clients/${login._id}/settings`, { default_flow_name: 'standard', login_attempts: 5, custom: { team: 'web' } });
await api('PUT', '/settings', { default_flow_name: 'global', vendor_name: 'Akamai' });
const settings = await api('GET', `/clients/${login._id}/settings`);
assert.equal(settings.default_flow_name, 'standard');
assert.equal(settings.login_attempts, 5);
assert.deepEqual(settings.custom, { team: 'web' });
assert.equal(settings._global.default_flow_name, 'global');
const withClients = await api('GET', '/settings?include_clients=true');
assert.equal(withClients._clients[login._id].default_flow_name, 'standard');
const options = await api('GET', '/settings/options');
assert.ok(options.some((o) => o.name === 'login_attempts' && o.type === 'integer'));

await fails(400, 'Missing data for required field.', api('PUT', `/clients/${issuer._id}/secret`));
await fails(400, 'Must be between 0 and 168.', api('PUT', `/clients/${issuer._id}/secret`, { hoursToLive: 169 }));
const rotated = await api('PUT', `/clients/${issuer._id}/secret`, { hoursToLive: 24 });
assert.notEqual(rotated._secret, issuer._secret);
console.log('rotated', rotated._id, rotated._secret);

const gone = await api('POST', '/clients', { name: 'Short lived' });
assert.equal(await api('DELETE', `/clients/${gone._id}`), undefined);
await fails(404, 'Client ID not found.', api('GET', `/clients/${gone._id}`));
await fails(403, 'Clients with the owner feature cannot be deleted.', api('DELETE', `/clients/${CLIENT_ID}`));
console.log('deleted', gone._id);
console.log('done');
