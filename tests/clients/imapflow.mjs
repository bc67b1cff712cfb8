// ImapFlow against a server: what a webmail does, over STARTTLS and TLS, with IDLE.
// usage: node imapflow.mjs MODULES IMAP IMAPS USER PASSWORD

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [modules, imap, imaps, user, pass] = process.argv.slice(2);
const { ImapFlow } = createRequire(modules + '/')('imapflow');

const common = { host: '127.0.0.1', logger: false, greetingTimeout: 300000, connectionTimeout: 300000, tls: { rejectUnauthorized: false } };
const connect = async (options) => {
    const client = new ImapFlow({ ...common, port: Number(imap), secure: false, doSTARTTLS: true, auth: { user, pass }, ...options });
    await client.connect();
    return client;
};
const text = (number) =>
    Buffer.from(`From: a@b.test\r\nTo: ${user}\r\nSubject: number ${number}\r\nMessage-ID: <${number}@b.test>\r\n\r\ntext ${number}\r\n`);

const wrong = new ImapFlow({ ...common, port: Number(imaps), secure: true, auth: { user, pass: 'wrong' } });
await assert.rejects(wrong.connect(), (error) => error.authenticationFailed === true);
wrong.close();

const client = await connect({});
assert.equal(client.secureConnection, true);

// Folders.
await client.mailboxCreate(['Проект', 'Архив']);
assert.equal((await client.mailboxCreate('Проект')).created, false);
await client.mailboxRename('Проект/Архив', 'Проект/Старое');
const tree = (await client.list({ statusQuery: { messages: true, unseen: true } })).map((folder) => folder.path);
assert.ok(tree.includes('INBOX') && tree.includes('Проект/Старое') && !tree.includes('Проект/Архив'), tree.join());
const sent = (await client.list()).find((folder) => folder.specialUse === '\\Sent');
assert.equal(sent.path, 'Sent');

// Messages.
for (let number = 1; number <= 4; number++) {
    const done = await client.append('Проект', text(number), number === 1 ? ['\\Seen'] : [], new Date('2024-02-01T10:20:30Z'));
    assert.equal(done.uid, number);
}
assert.deepEqual((({ messages, unseen }) => ({ messages, unseen }))(await client.status('Проект', { messages: true, unseen: true })), {
    messages: 4,
    unseen: 3
});
let lock = await client.getMailboxLock('Проект');
try {
    assert.equal(client.mailbox.exists, 4);
    assert.deepEqual(await client.search({ seen: false }, { uid: true }), [2, 3, 4]);
    assert.deepEqual(await client.search({ subject: 'number 3' }, { uid: true }), [3]);
    const found = [];
    for await (const message of client.fetch('1:*', { uid: true, flags: true, envelope: true, bodyStructure: true, source: true, internalDate: true })) {
        assert.deepEqual(message.source, text(message.uid));
        assert.equal(message.envelope.messageId, `<${message.uid}@b.test>`);
        assert.equal(new Date(message.internalDate).toISOString(), '2024-02-01T10:20:30.000Z');
        found.push(message.uid);
    }
    assert.deepEqual(found, [1, 2, 3, 4]);
    const { content } = await client.download('2', undefined, { uid: true });
    const pieces = [];
    for await (const piece of content) pieces.push(piece);
    assert.deepEqual(Buffer.concat(pieces), text(2));
    assert.equal(await client.messageFlagsAdd('2', ['\\Flagged', '$Todo'], { uid: true }), true);
    const flags = (await client.fetchOne('2', { flags: true }, { uid: true })).flags;
    assert.ok(flags.has('\\Flagged') && flags.has('$Todo'), [...flags].join());
    await client.messageFlagsRemove('2', ['$Todo'], { uid: true });
    const copied = await client.messageCopy('2', 'INBOX', { uid: true });
    assert.equal(copied.uidMap.size, 1);
    await client.messageMove('3', 'Проект/Старое', { uid: true });
    await client.messageDelete('4', { uid: true });
    assert.deepEqual(await client.search({ all: true }, { uid: true }), [1, 2]);
} finally {
    lock.release();
}

// News while it waits.
lock = await client.getMailboxLock('INBOX');
const other = await connect({ port: Number(imaps), secure: true, doSTARTTLS: undefined });
const event = (name) => new Promise((resolve) => client.once(name, resolve));
const exists = event('exists');
const idling = client.idle();
await other.append('INBOX', text(9));
assert.equal((await exists).count, 2);
const expunge = event('expunge');
await other.mailboxOpen('INBOX');
await other.messageDelete({ subject: 'number 9' });
assert.equal((await expunge).seq, 2);
lock.release();
await client.noop();
await idling;
await other.logout();

await client.mailboxDelete('Проект/Старое');
await client.logout();
console.log('ok');
