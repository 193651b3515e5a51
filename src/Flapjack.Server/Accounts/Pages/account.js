// Logging in, signing up, one's password and keys. The session stays in this tab; /docs of the same tab uses it.
const Place = 'flapjack.session';
const $ = id => document.getElementById(id);
const query = new URLSearchParams(location.search);
// A token must not stay in the address, where the history and whoever looks on would have it.
if (location.search) history.replaceState(null, '', location.pathname);

const read = () => JSON.parse(sessionStorage.getItem(Place) ?? 'null');
const keep = session => session ? sessionStorage.setItem(Place, JSON.stringify(session)) : sessionStorage.removeItem(Place);

function tell(text, good = false) {
  $('notice').textContent = text;
  $('notice').className = good ? 'good' : '';
  $('notice').hidden = !text;
}

async function call(method, path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? answer.error ?? `The server answered ${response.status}.`), { code: answer.error });
  return answer;
}

/** Calls as the person who is logged in; an access token that ran out is exchanged once. */
async function mine(method, path, body) {
  const session = read();
  try {
    return await call(method, path, body, session.access_token);
  } catch (error) {
    if (error.code !== 'UNAUTHORIZED') throw error;
    keep({ ...session, ...await call('POST', '/api/auth/refresh', { refreshToken: session.refresh_token }) });
    return call(method, path, body, read().access_token);
  }
}

const values = form => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));

function onSubmit(id, work) {
  $(id).addEventListener('submit', async event => {
    event.preventDefault();
    const button = event.target.querySelector('button');
    button.disabled = true;
    tell('');
    try { await work(values(event.target), event.target); } catch (error) { tell(error.message); }
    button.disabled = false;
  });
}

function show(id) {
  for (const part of ['link', 'login', 'signup', 'account']) $(part).hidden = part !== id;
}

function showAccount(session) {
  const { user, org } = session;
  $('who').textContent = `You are logged in as ${user.name ? `${user.name} (${user.email})` : user.email}${org ? `, ${org.role} of ${org.name}` : ''}.`;
  $('current').hidden = session.byLink;
  $('key').hidden = !['admin', 'owner'].includes(org?.role);
  show('account');
}

function begin(session, byLink) {
  keep({ ...session, byLink });
  showAccount(read());
}

onSubmit('link', async () => {
  try {
    begin(await call('POST', '/api/auth/login', { oneTimeToken: query.get('token') }), true);
  } catch (error) {
    show('login');
    throw error;
  }
});
onSubmit('login', async fields => begin(await call('POST', '/api/auth/login', fields), false));
onSubmit('signup', async fields => begin(await call('POST', '/api/auth/signup', { ...fields, inviteToken: query.get('invite') ?? undefined }), false));
onSubmit('password', async (fields, form) => {
  await mine('PATCH', '/api/auth/me', fields);
  form.reset();
  keep({ ...read(), byLink: false });
  showAccount(read());
  tell('The password is set. Other sessions have ended.', true);
});
onSubmit('key', async (fields, form) => {
  const made = await mine('POST', '/api/keys', fields);
  form.reset();
  $('made').querySelector('code').textContent = made.key;
  $('made').hidden = false;
});
$('leave').addEventListener('click', async () => {
  await mine('POST', '/api/auth/logout', {}).catch(() => {});
  keep(null);
  location.assign('/login');
});

if (query.get('token')) show('link');
else if (location.pathname === '/signup') {
  $('invited').hidden = !query.get('invite');
  $('orgName').hidden = !!query.get('invite');
  show('signup');
} else if (read()) {
  mine('GET', '/api/auth/me').then(() => showAccount(read()), () => { keep(null); show('login'); });
} else show('login');
