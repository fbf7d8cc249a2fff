// npm acme-client against an ACME server: an account, its changes, its orders, and how it reads problems.
// Usage: node acme-client.mjs DIRECTORY_URL MAILBOX; NODE_EXTRA_CA_CERTS names the server's TLS CA and
// AECM_NODE_PATH the folder node_modules. Prints one JSON object per line.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.AECM_NODE_PATH}/driver.js`);
const acme = require('acme-client');
const [directoryUrl, mailbox] = process.argv.slice(2);

const say = (step, members) => console.log(JSON.stringify({ step, ...members }));

// The client's errors carry the problem's detail alone; the type is read where it arrives.
let problem = null;
const note = (response) => {
    problem = response?.data?.type ? { type: response.data.type, status: response.status } : null;
};
acme.axios.interceptors.response.use(
    (response) => { note(response); return response; },
    (error) => { note(error.response); throw error; },
);

const refused = async (step, attempt) => {
    try {
        await attempt();
        say(step, { refused: false });
    } catch (error) {
        say(step, { refused: true, message: error.message, ...problem });
    }
};

const email = (value) => ({ identifiers: [{ type: 'email', value }] });

for (const [kind, makeKey] of [
    ['ec', () => acme.crypto.createPrivateEcdsaKey('P-256')],
    ['rsa', () => acme.crypto.createPrivateRsaKey(2048)],
]) {
    const accountKey = await makeKey();
    const client = new acme.Client({ directoryUrl, accountKey });

    say(`${kind} terms`, { url: await client.getTermsOfServiceUrl() });
    await refused(`${kind} without agreement`, () => client.createAccount({ termsOfServiceAgreed: false }));
    await refused(`${kind} bad contact`, () =>
        client.createAccount({ termsOfServiceAgreed: true, contact: ['tel:+1-202-555'] }));

    const made = await client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:one@example.test'] });
    say(`${kind} account`, { status: made.status, contact: made.contact, url: client.getAccountUrl() });
    const updated = await client.updateAccount({ contact: ['mailto:two@example.test'] });
    say(`${kind} update`, { status: updated.status, contact: updated.contact });
    const again = new acme.Client({ directoryUrl, accountKey });
    await again.createAccount({ onlyReturnExisting: true });
    say(`${kind} found again`, { url: again.getAccountUrl() });

    await refused(`${kind} dns order`, () =>
        client.createOrder({ identifiers: [{ type: 'dns', value: 'www.example.test' }] }));
    await refused(`${kind} wildcard order`, () => client.createOrder(email('*@example.test')));
    await refused(`${kind} unknown profile`, () => client.createOrder({ ...email(mailbox), profile: 'tlsserver' }));

    const order = await client.createOrder(email(mailbox));
    say(`${kind} order`, { status: order.status, identifiers: order.identifiers });
    const [authorization] = await client.getAuthorizations(order);
    const challenges = authorization.challenges.map(({ type }) => type);
    say(`${kind} authorization`, { status: authorization.status, identifier: authorization.identifier, challenges });
    const [, csr] = await acme.crypto.createCsr({ commonName: 'www.example.test' });
    await refused(`${kind} finalize too early`, () => client.finalizeOrder(order, csr));

    const stranger = new acme.Client({ directoryUrl, accountKey: await makeKey() });
    await stranger.createAccount({ termsOfServiceAgreed: true });
    await refused(`${kind} order of another`, () => stranger.getOrder(order));

    if (kind === 'ec') {
        // keyChange: the new key signs inside, the old one outside (RFC 8555 section 7.3.5).
        await client.updateAccountKey(await makeKey());
        const after = await client.updateAccount({ contact: ['mailto:three@example.test'] });
        say(`${kind} key change`, { status: after.status, contact: after.contact });
        const old = new acme.Client({ directoryUrl, accountKey });
        await refused(`${kind} old key`, () => old.createAccount({ onlyReturnExisting: true }));
    }
    const closed = await client.updateAccount({ status: 'deactivated' });
    say(`${kind} deactivated`, { status: closed.status });
    await refused(`${kind} after deactivation`, () => client.createOrder(email(mailbox)));
}
