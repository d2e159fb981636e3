// JSforce logs in by each flow it has: the simulated org's token endpoint, authorize page and login host
// must be Salesforce's to a client that knows nothing of this project.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSign } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import jsforce from 'jsforce';

const ready = JSON.parse(readFileSync(process.env.SIMULATED_ORG, 'utf8'));
const url = ready.orgs.globex; // acme is the other file's
const version = '67.0';
const username = 'integr@globex.simulated.example';
const redirectUri = 'http://localhost:1717/OauthRedirect';
const client = { clientId: ready.client_id, clientSecret: ready.client_secret, redirectUri };

async function control(path, body) {
  const answer = await fetch(`${url}/__org/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

async function works(connection) {
  assert.equal(connection.instanceUrl, url);
  assert.equal((await connection.query('SELECT Id FROM Organization')).totalSize, 1);
  assert.equal((await connection.identity()).username, username);
}

await control('app', {
  flows: ['client_credentials', 'jwt_bearer', 'password', 'refresh_token', 'authorization_code'],
  callback_urls: [redirectUri],
  authorizes_as: username,
  approved: [username],
});

for (const host of [url, ready.login]) {
  test(`JWT bearer at ${host === url ? 'My Domain' : 'the login host'}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sfprov-jsforce-'));
    const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=jsforce',
      '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    await control('app', { certificates: [readFileSync(certificate, 'utf8')] });
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: ready.client_id, sub: username, aud: 'https://login.salesforce.com', exp: Math.floor(Date.now() / 1000) + 180,
    };
    const text = `${part({ alg: 'RS256' })}.${part(claims)}`;
    const assertion = `${text}.${createSign('RSA-SHA256').update(text).sign(readFileSync(key)).toString('base64url')}`;
    const connection = new jsforce.Connection({ version, oauth2: { ...client, loginUrl: host } });
    await connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
    await works(connection);
  });
}

test('username and password with the security token', async () => {
  await control(`users/${username}/password`, { password: 'Passw0rd1' });
  const connection = new jsforce.Connection({ version, oauth2: { ...client, loginUrl: ready.login } });
  await connection.loginByOAuth2(username, 'Passw0rd1simulatedcAnArYToken0000');
  await works(connection);
  await assert.rejects(connection.loginByOAuth2(username, 'Passw0rd1'), /authentication failure/);
});

test('authorization code with PKCE, then the refresh token', async () => {
  const oauth2 = new jsforce.OAuth2({ ...client, loginUrl: url, useVerifier: true });
  const page = await fetch(oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: 's1' }), { redirect: 'manual' });
  const back = new URL(page.headers.get('location'));
  assert.equal(back.searchParams.get('state'), 's1');
  const connection = new jsforce.Connection({ version, oauth2 });
  await connection.authorize(back.searchParams.get('code'));
  await works(connection);
  assert.ok(connection.refreshToken);
  await control('expire_tokens', {});
  assert.equal((await connection.query('SELECT Id FROM Organization')).totalSize, 1); // renewed by JSforce
  await assert.rejects(connection.authorize(back.searchParams.get('code')), /invalid authorization code/);
});
