// jose as a resource server: JWTs verified against the remote JWK set, alone.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { ISSUER, CLIENT_ID, ALGORITHM, TOKEN } = process.env;
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const expected = { issuer: ISSUER, audience: ISSUER, typ: 'at+jwt', algorithms: [ALGORITHM] };

const { payload, protectedHeader } = await jwtVerify(TOKEN, keys, expected);
assert.equal(protectedHeader.alg, ALGORITHM);
assert.ok(protectedHeader.kid);
assert.equal(payload.client_id, CLIENT_ID);
assert.equal(payload.sub, CLIENT_ID);
assert.equal(payload.exp - payload.iat, 3600);
assert.ok(payload.jti);
assert.ok(!('scope' in payload));

const [header, body, signature] = TOKEN.split('.');
const forged = Buffer.from(JSON.stringify({ ...payload, client_id: 'someone-else' })).toString('base64url');
await assert.rejects(jwtVerify([header, forged, signature].join('.'), keys, expected), errors.JWSSignatureVerificationFailed);
assert.notEqual(forged, body);
console.log('passed');
