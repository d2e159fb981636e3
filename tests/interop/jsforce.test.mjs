// JSforce, a client that knows nothing of this project, lives a User's life in the simulated org: the
// org must answer it as Salesforce does. Every step is checked in the org's own state as well. ./run
// starts the org and says where it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import jsforce from 'jsforce';

const ready = JSON.parse(readFileSync(process.env.SIMULATED_ORG, 'utf8'));
const url = ready.orgs.acme;
const oauth2 = { clientId: ready.client_id, clientSecret: ready.client_secret, loginUrl: url };
const version = '67.0';

async function control(method, path, body) {
  const answer = await fetch(`${url}/__org/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

const state = () => control('GET', 'state');

async function stateOf(username) {
  return (await state()).users.find((user) => user.Username === username);
}

async function callsDuring(work) {
  await control('DELETE', 'calls');
  await work();
  return (await control('GET', 'calls')).calls.filter((call) => call.path.startsWith('/services/data'));
}

async function login() {
  const connection = new jsforce.Connection({ instanceUrl: url, version, oauth2 });
  await connection.authorize({ grant_type: 'client_credentials' });
  return connection;
}

const conn = await login();
const User = conn.sobject('User');
const profiles = (await state()).profiles;

function person(name, more = {}) {
  return {
    Username: `${name}@acme.example`,
    LastName: name,
    Email: `${name}@acme.example`,
    Alias: name.slice(0, 8),
    TimeZoneSidKey: 'Europe/Paris',
    LocaleSidKey: 'en_US',
    EmailEncodingKey: 'UTF-8',
    LanguageLocaleKey: 'en_US',
    ProfileId: profiles['Standard User'],
    ...more,
  };
}

const refusedWith = (errorCode) => (error) => {
  assert.equal(error.errorCode, errorCode, error.message);
  return true;
};

const ids = {};

test('client credentials lead to the instance, and the identity is the run-as user', async () => {
  const { org_id: org, execution_user: runAs } = await state();
  assert.equal(conn.instanceUrl, url);
  assert.equal(conn.userInfo.organizationId, org);
  const identity = await conn.identity();
  assert.equal(identity.organization_id, org);
  assert.equal(identity.user_id, runAs);
  assert.match(identity.username, /^integr@/);
});

test('an access token and an instance are enough', async () => {
  const other = new jsforce.Connection({ instanceUrl: url, accessToken: conn.accessToken, version });
  assert.equal((await other.query('SELECT Id FROM Organization')).totalSize, 1);
});

test('a wrong secret and the password flow are refused in the words of OAuth', async () => {
  const wrong = new jsforce.Connection({ instanceUrl: url, oauth2: { ...oauth2, clientSecret: 'x' } });
  await assert.rejects(wrong.authorize({ grant_type: 'client_credentials' }), { name: 'invalid_client' });
  await assert.rejects(new jsforce.Connection({ oauth2 }).loginByOAuth2('ann', 'secret'), {
    name: 'invalid_grant', // blocked, and not said to be
  });
});

test('describe tells what a User is made of', async () => {
  const all = await conn.describeGlobal();
  assert.ok(all.sobjects.some(({ name }) => name === 'User'));
  const described = await User.describe();
  const fields = Object.fromEntries(described.fields.map((field) => [field.name, field]));
  assert.equal(described.keyPrefix, '005');
  assert.equal(described.deletable, false);
  assert.equal(fields.Username.type, 'string');
  assert.equal(fields.ProfileId.relationshipName, 'Profile');
  assert.deepEqual(fields.ProfileId.referenceTo, ['Profile']);
  assert.ok(fields.TimeZoneSidKey.picklistValues.some(({ value }) => value === 'Europe/Paris'));
  for (const name of ['Username', 'LastName', 'Email', 'Alias'])
    assert.equal(fields[name].nillable, false, name);
});

test('a user is created', async () => {
  const made = await User.create(person('ann', { Title: 'Clerk' }));
  assert.deepEqual({ success: made.success, errors: made.errors }, { success: true, errors: [] });
  ids.ann = made.id;
  const there = await stateOf('ann@acme.example');
  assert.equal(there.Id, made.id);
  assert.equal(there.Title, 'Clerk');
  assert.equal(there.CreatedById, (await state()).execution_user);
});

test('what Salesforce refuses is refused with its code', async () => {
  await assert.rejects(User.create(person('ann')), refusedWith('DUPLICATE_USERNAME'));
  await assert.rejects(User.create({ LastName: 'x' }), refusedWith('REQUIRED_FIELD_MISSING'));
  await assert.rejects(User.create(person('eve', { Nope: 1 })), refusedWith('INVALID_FIELD'));
  await assert.rejects(conn.query('SELECT Nope FROM User'), refusedWith('INVALID_FIELD'));
  assert.equal((await state()).counts.provisioned, 1);
});

test('several users are one call, and each has its own result', async () => {
  const calls = await callsDuring(async () => {
    const results = await User.create([
      person('bob', { ManagerId: ids.ann }),
      person('ann'),
      person('cyd'),
    ]);
    assert.deepEqual(results.map(({ success }) => success), [true, false, true]);
    assert.equal(results[1].errors[0].statusCode, 'DUPLICATE_USERNAME');
    [ids.bob, , ids.cyd] = results.map(({ id }) => id);
  });
  assert.equal(calls.length, 1);
  assert.equal((await stateOf('bob@acme.example')).ManagerId, ids.ann);
});

test('a query follows relationships, and its dates are dates', async () => {
  const { records, totalSize, done } = await conn.query(
    `SELECT Id, Username, CreatedDate, Profile.Name, Profile.UserLicense.Name, Manager.Username
     FROM User WHERE Username LIKE '%@acme.example' ORDER BY Username`
  );
  assert.deepEqual([totalSize, done], [3, true]);
  assert.deepEqual(records.map((user) => user.Username.split('@')[0]), ['ann', 'bob', 'cyd']);
  assert.equal(records[0].Manager, null);
  assert.equal(records[1].Manager.Username, 'ann@acme.example');
  assert.equal(records[1].Profile.Name, 'Standard User');
  assert.equal(records[1].Profile.UserLicense.Name, 'Salesforce');
  assert.ok(Math.abs(Date.now() - jsforce.SfDate.parseDate(records[0].CreatedDate)) < 3600e3);
});

test('find, findOne and count build their own queries', async () => {
  const since = jsforce.SfDate.toDateTimeLiteral(new Date(Date.now() - 3600e3));
  const found = await User.find(
    { Username: { $like: '%@acme.example' }, IsActive: true, CreatedDate: { $gte: since } },
    'Id, Username, Profile.Name'
  )
    .sort({ Username: -1 })
    .limit(2);
  assert.deepEqual(found.map((user) => user.Username.split('@')[0]), ['cyd', 'bob']);
  assert.equal((await User.findOne({ Username: "o'hara@acme.example" })) ?? null, null);
  assert.equal((await User.findOne({ Id: { $in: [ids.cyd] } })).LastName, 'cyd');
  assert.equal(await User.count({ Username: { $like: '%@acme.example' } }), 3);
});

test('updates change one user, several, and report whom they cannot find', async () => {
  assert.equal((await User.update({ Id: ids.ann, Title: 'Boss', Department: null })).success, true);
  assert.equal((await stateOf('ann@acme.example')).Title, 'Boss');
  const results = await User.update([
    { Id: ids.bob, FirstName: 'Bob' },
    { Id: '005000000000000AAA', FirstName: 'Nobody' },
  ]);
  assert.deepEqual(results.map(({ success }) => success), [true, false]);
  const bob = await User.retrieve(ids.bob);
  assert.equal(bob.Name, 'Bob bob');
  assert.equal(bob.attributes.type, 'User');
  await assert.rejects(User.retrieve('005000000000000AAA'), refusedWith('NOT_FOUND'));
});

test('250 users are two calls and several pages', async () => {
  const names = Array.from({ length: 250 }, (_, index) => `mass${index}`);
  const calls = await callsDuring(async () => {
    const results = await User.create(names.map((name) => person(name)), { allowRecursive: true });
    assert.equal(results.filter(({ success }) => success).length, 250);
  });
  assert.deepEqual(calls.map(({ records }) => records), [200, 50]);
  await control('POST', 'settings', { page_size: 100 });
  let page = await conn.query("SELECT Id FROM User WHERE Username LIKE 'mass%'");
  const sizes = [page.records.length];
  assert.equal(page.totalSize, 250);
  while (!page.done) {
    page = await conn.queryMore(page.nextRecordsUrl);
    sizes.push(page.records.length);
  }
  assert.deepEqual(sizes, [100, 100, 50]);
  const all = await conn.query("SELECT Id FROM User WHERE Username LIKE 'mass%'", { autoFetch: true, maxFetch: 300 });
  assert.equal(new Set(all.records.map(({ Id }) => Id)).size, 250);
});

test('limits and usage are told', async () => {
  const { DailyApiRequests: daily } = await conn.limits();
  const { usage } = await state();
  assert.equal(daily.Max - daily.Remaining, usage.api_calls);
  assert.deepEqual(conn.limitInfo.apiUsage, { used: usage.api_calls, limit: daily.Max });
});

test('an upsert by an external id creates, then updates the same user', async () => {
  const { Username, ...rest } = person('dan', { Username: 'dan@acme.example' });
  const first = await User.upsert({ Username, ...rest, Host_Id__c: 'h-1' }, 'Host_Id__c');
  assert.equal(first.success, true);
  const again = await User.upsert({ Title: 'Chef', Host_Id__c: 'h-1' }, 'Host_Id__c');
  assert.equal(again.id, first.id);
  ids.dan = first.id;
  assert.equal((await stateOf('dan@acme.example')).Title, 'Chef');
  const results = await User.upsert(
    [
      { Host_Id__c: 'h-1', Title: 'Cook' },
      person('fay', { Host_Id__c: 'h2' }),
    ],
    'Host_Id__c'
  );
  assert.deepEqual(results.map(({ success, created }) => [success, created]), [[true, false], [true, true]]);
  await assert.rejects(User.upsert({ Username, Title: 'x' }, 'Username'), refusedWith('NOT_FOUND'));
});

test('a user is frozen without losing the seat', async () => {
  const login = await conn.sobject('UserLogin').findOne({ UserId: ids.dan }, 'Id, IsFrozen');
  assert.equal(login.IsFrozen, false);
  await conn.sobject('UserLogin').update({ Id: login.Id, IsFrozen: true });
  assert.deepEqual((await state()).frozen, ['dan@acme.example']);
  assert.equal((await stateOf('dan@acme.example')).IsActive, true);
});

test('a role and a permission set are given and taken', async () => {
  const role = await conn.sobject('UserRole').findOne({ Name: 'Support Agent' }, 'Id');
  await User.update({ Id: ids.dan, UserRoleId: role.Id });
  const found = await conn.query(
    "SELECT UserRole.Name FROM User WHERE UserRole.DeveloperName = 'SupportAgent'"
  );
  assert.deepEqual(found.records.map((user) => user.UserRole.Name), ['Support Agent']);
  const Assignment = conn.sobject('PermissionSetAssignment');
  const set = await conn.sobject('PermissionSet').findOne({ Name: 'Api_Access', IsOwnedByProfile: false });
  const record = { AssigneeId: ids.dan, PermissionSetId: set.Id };
  const given = await Assignment.create(record);
  await assert.rejects(Assignment.create(record), refusedWith('DUPLICATE_VALUE'));
  assert.deepEqual((await state()).permission_set_assignments, { 'dan@acme.example': ['Api_Access'] });
  const users = await conn.query(
    "SELECT Username FROM User WHERE Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Api_Access')"
  );
  assert.deepEqual(users.records.map(({ Username }) => Username), ['dan@acme.example']);
  assert.equal((await Assignment.destroy(given.id)).success, true);
  await assert.rejects(Assignment.destroy(given.id), refusedWith('ENTITY_IS_DELETED'));
  assert.deepEqual((await state()).permission_set_assignments, {});
});

test('a password is set and kept to its policy', async () => {
  const path = `/sobjects/User/${ids.dan}/password`;
  await conn.requestPost(path, { NewPassword: 'kitchen-2026' });
  assert.deepEqual(await conn.requestGet(path), { isExpired: false });
  await assert.rejects(conn.requestPost(path, { NewPassword: 'short' }), refusedWith('INVALID_NEW_PASSWORD'));
  const answer = await control('POST', `users/${ids.dan}/check_password`, { password: 'kitchen-2026' });
  assert.equal(answer.matches, true);
});

test('a composite call creates a user with the permission set, or neither', async () => {
  const set = (await state()).permission_sets.Report_Builder;
  const request = (name, setId) =>
    conn.requestPost('/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: `/services/data/v${version}/sobjects/User`, referenceId: 'u', body: person(name) },
        {
          method: 'POST',
          url: `/services/data/v${version}/sobjects/PermissionSetAssignment`,
          referenceId: 'a',
          body: { AssigneeId: '@{u.id}', PermissionSetId: setId },
        },
      ],
    });
  const good = await request('gus', set);
  assert.deepEqual(good.compositeResponse.map(({ httpStatusCode }) => httpStatusCode), [201, 201]);
  const bad = await request('hal', ids.dan);
  assert.deepEqual(bad.compositeResponse.map(({ httpStatusCode }) => httpStatusCode), [400, 400]);
  assert.equal(bad.compositeResponse[0].body[0].errorCode, 'PROCESSING_HALTED');
  assert.equal(await stateOf('hal@acme.example'), undefined);
  assert.deepEqual((await state()).permission_set_assignments, { 'gus@acme.example': ['Report_Builder'] });
});

test('date literals, groups of fields and several ids at once', async () => {
  assert.equal(await User.count({ CreatedDate: jsforce.SfDate.TODAY, Username: 'dan@acme.example' }), 1);
  assert.equal(await User.count({ CreatedDate: { $lt: jsforce.SfDate.LAST_N_DAYS(3) } }), 0);
  const [dan] = await User.find({ Id: ids.dan }, '*');
  assert.equal(dan.Title, 'Cook');
  const several = await User.retrieve([ids.dan, ids.ann]);
  assert.deepEqual(several.map(({ Id }) => Id), [ids.dan, ids.ann]);
});

test('a leaver is deactivated; nobody is deleted', async () => {
  assert.equal((await User.record(ids.cyd).update({ IsActive: false })).success, true);
  const cyd = await stateOf('cyd@acme.example');
  assert.equal(cyd.IsActive, false);
  await assert.rejects(User.destroy(ids.cyd), refusedWith('METHOD_NOT_ALLOWED'));
  assert.equal(await User.count({ Id: ids.cyd, IsActive: false }), 1);
});

test('an expired session is renewed by the client, and a revoked one is over', async () => {
  let renewals = 0;
  const other = new jsforce.Connection({
    instanceUrl: url,
    accessToken: conn.accessToken,
    version,
    oauth2,
    refreshFn: async (_, callback) => {
      renewals += 1;
      callback(null, (await login()).accessToken);
    },
  });
  await control('POST', 'expire_tokens');
  assert.equal((await other.query('SELECT Id FROM Organization')).totalSize, 1);
  assert.equal(renewals, 1);
  const { accessToken } = other;
  await other.logout();
  const over = new jsforce.Connection({ instanceUrl: url, accessToken, version });
  await assert.rejects(over.query('SELECT Id FROM Organization'), refusedWith('INVALID_SESSION_ID'));
});
