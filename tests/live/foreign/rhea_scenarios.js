'use strict';
// What a program on rhea sees of a broker and of the service behind it: one
// scenario a run, `node rhea_scenarios.js SCENARIO`, told in lines. The same as
// proton_scenarios.py; foreign_test.py says what they should tell.
const { createHash, randomBytes } = require('crypto');
const rhea = require('rhea');
const { Client, Ended, Management } = require('./rhea_client');
const { bytes, fields, fixed64 } = require('./rhea_protobuf');

const SECONDS = 60;
const MESSAGE_BYTES_MAX = 16 << 20;

const unique = (name) => `${name}-${randomBytes(6).toString('hex')}`;

async function connect() {
  const client = await Client.connect();
  return { client, management: await Management.open(client) };
}

/** docs/PROTOCOL.md: which of `count` partitions or shards has a user. */
function partition_of(user, count) {
  const wrap = (x) => BigInt.asUintN(64, x);
  let x = wrap(BigInt(user) + 0x9e3779b97f4a7c15n);
  x = wrap((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = wrap((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return (x ^ (x >> 31n)) % BigInt(count);
}

class Service {
  static async open({ client, management }) {
    const self = new Service();
    self.client = client;
    self.reply_to = await management.own_queue(unique('replies'));
    self.replies = await client.receiver(self.reply_to, 10);
    self.sender = await client.sender(null);
    return self;
  }

  /** Asks whoever serves the queue; the short name and fields of the answer. */
  async ask(queue, type, body) {
    const id = unique('request');
    await this.client.send(this.sender, {
      message_id: id, to: `/queues/rookery.${queue}`, reply_to: this.reply_to,
      subject: `rookery.service.v1.${type}`,
      content_type: 'application/protobuf',
      body: rhea.message.data_section(body),
    });
    const answer = await this.client.take(this.replies);
    if (answer.correlation_id !== id) throw new Error('somebody else\'s answer');
    return {
      type: answer.subject.split('.').pop(), fields: fields(answer.body.content),
    };
  }
}

const scenarios = {
  async tweet(peer) {
    const service = await Service.open(peer);
    const at = (what, user, count) =>
      `${what}.${partition_of(user, count)}-of-${count}`;
    const post = (text) => service.ask(at('tweet', 3, 2), 'PostTweetRequest',
      Buffer.concat([fixed64(1, 3), bytes(2, text)]));
    const tell = (answer) => console.log(
      answer.type, ...answer.fields.map(([, value]) => `${value}`));
    tell(await service.ask(at('follow', 1, 8), 'FollowRequest',
      Buffer.concat([fixed64(1, 1), fixed64(2, 3)])));
    tell(await post('Hello'));
    const home = await service.ask(at('shard', 1, 8), 'HomeTimelineRequest',
      fixed64(1, 1));
    for (const [, tweet] of home.fields) {
      const [[, id], [, author], [, text]] = fields(tweet);
      console.log(`${id}\t${author}\t${text}`);
    }
    tell(await post(''));
  },

  async queue({ client, management }) {
    const name = unique('queue');
    const terms = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
    for (let i = 0; i < 2; ++i) {
      const { status } = await management.ask('PUT', `/queues/${name}`, terms);
      console.log('declared', status);
    }
    const sender = await client.sender(`/queues/${name}`);
    for (const body of ['a', 'b', 'c'])
      console.log('sent', await client.send(sender, { body, durable: true }));
    const { body } = await management.ask('GET', `/queues/${name}`);
    console.log('holds', body.message_count);
    const receiver = await client.receiver(`/queues/${name}`, 10);
    for (let i = 0; i < 3; ++i)
      console.log('received', (await client.take(receiver)).body);
    await client.detach(sender);
    await client.detach(receiver);
    const gone = await management.ask('DELETE', `/queues/${name}`);
    console.log('deleted', gone.status);
  },

  async fanout({ client, management }) {
    const name = unique('exchange');
    const ask = async (what, ...rest) =>
      console.log(what, (await management.ask(...rest)).status);
    await ask('declared', 'PUT', `/exchanges/${name}`,
      { type: 'fanout', arguments: {} });
    const sender = await client.sender(`/exchanges/${name}`);
    console.log('sent', await client.send(sender, { body: 'to nobody' }));
    const receivers = [];
    for (let i = 0; i < 2; ++i) {
      const queue = unique('queue');
      receivers.push(await client.receiver(await management.own_queue(queue), 1));
      await ask('bound', 'POST', '/bindings', {
        source: name, destination_queue: queue, binding_key: '', arguments: {},
      });
    }
    console.log('sent', await client.send(sender, { body: 'to all' }));
    for (const receiver of receivers)
      console.log('received', (await client.take(receiver)).body);
    await ask('deleted', 'DELETE', `/exchanges/${name}`);
  },

  async request({ client, management }) {
    const questions = await management.own_queue(unique('questions'));
    const replies = await management.own_queue(unique('replies'));
    const server = await client.receiver(questions, 1);
    const asker = await client.receiver(replies, 1);
    const out = await client.sender(null);
    await client.send(out, {
      to: questions, reply_to: replies, message_id: 7, body: 'louder',
    });
    const question = await client.take(server);
    await client.send(out, {
      to: question.reply_to, correlation_id: question.message_id,
      body: question.body.toUpperCase(),
    });
    const answer = await client.take(asker);
    console.log('answer', answer.body, 'to', answer.correlation_id);
  },

  async drain({ client, management }) {
    const queue = await management.own_queue(unique('queue'));
    const sender = await client.sender(queue);
    for (const body of ['a', 'b']) await client.send(sender, { body });
    const receiver = await client.receiver(queue, 0);
    receiver.add_credit(5);
    receiver.drain_credit();
    await client.until(() => receiver.credit === 0);
    const came = receiver.inbox.splice(0);
    console.log('drained', ...came.map(({ body }) => body));
    await client.send(sender, { body: 'c' });
    receiver.drain = false;
    receiver.add_credit(1);
    console.log('then', (await client.take(receiver)).body);
  },

  async large({ client, management }) {
    const queue = await management.own_queue(unique('queue'));
    const sender = await client.sender(queue);
    const of = (size) => rhea.message.data_section(Buffer.alloc(size, 'x'));
    const most = MESSAGE_BYTES_MAX
      - (rhea.message.encode({ body: of(1 << 16) }).length - (1 << 16));
    const receiver = await client.receiver(queue, 1);
    console.log('sent', await client.send(sender, { body: of(most) }));
    const { content } = (await client.take(receiver)).body;
    const sum = (x) => createHash('sha256').update(x).digest('hex');
    console.log('intact', sum(content) === sum(of(most).content));
    try {
      const seen = await client.send(sender, { body: of(most + 1) });
      console.log('one more byte:', seen);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      console.log('one more byte:', error.what, error.condition);
    }
    const again = await connect();
    const other = await again.management.own_queue(unique('queue'));
    const next = await again.client.sender(other);
    console.log('others', await again.client.send(next, { body: 'a' }));
    again.client.close();
  },

  async order({ client, management }, credit) {
    const count = 10000;
    const queue = await management.own_queue(unique('queue'));
    const receiver = await client.receiver(queue, Number(credit));
    const sender = await client.sender(queue);
    const deliveries = [];
    for (let i = 0; i < count; ++i)
      deliveries.push(await client.put(sender, { body: i }));
    await client.until(() => receiver.inbox.length >= count);
    await client.until(() => deliveries.every((x) => x.remote_settled));
    const outcomes = new Set(deliveries.map(
      ({ remote_state }) => remote_state.constructor.composite_type));
    const { body } = await management.ask('GET', queue);
    console.log('outcomes', ...outcomes);
    console.log('received', receiver.inbox.length, 'in order',
      receiver.inbox.every((message, i) => message.body === i));
    console.log('left', body.message_count);
  },
};

async function main([scenario, ...rest]) {
  setTimeout(() => {
    console.error(`${scenario}: not done after ${SECONDS} s`);
    process.exit(1);
  }, SECONDS * 1000).unref();
  const peer = await connect();
  await scenarios[scenario](peer, ...rest);
  peer.client.close();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
