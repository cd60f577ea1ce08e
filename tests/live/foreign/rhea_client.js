'use strict';
// What the scenarios need of AMQP, on rhea: one connection, links, outcomes,
// and management. Every wait ends when what it waits for happens, or when a
// link, the session or the connection ends; the program itself has a deadline.
const rhea = require('rhea');

/** A link, a session or the connection ended, and why. */
class Ended extends Error {
  constructor(what, error) {
    super(`${what} ended: ${error ? error.condition : 'no reason given'}`);
    this.what = what;
    this.condition = error ? error.condition : 'none';
  }
}

class Client {
  /** To where the environment says, as the variables of a node do. */
  static async connect() {
    const env = process.env;
    const [host, port] = env.ROOKERY_BROKERS.split(':');
    const connection = rhea.create_container().connect({
      host, port, reconnect: false,
      username: env.ROOKERY_USER || 'anonymous', password: env.ROOKERY_PASSWORD,
    });
    const self = new Client(connection);
    await self.until(() => connection.is_open());
    return self;
  }

  constructor(connection) {
    this.connection = connection;
    this.waiting = [];
    this.ended = undefined;
    for (const what of ['sender', 'receiver', 'session', 'connection'])
      connection.on(`${what}_error`,
        (context) => this.end(new Ended(what, context[what].error)));
    connection.on('disconnected', () => this.end(new Ended('connection')));
    connection.on('message', (context) => {
      context.receiver.inbox.push(context.message);
      this.look();
    });
    for (const event of ['connection_open', 'sender_open', 'sender_close',
      'receiver_open', 'receiver_close', 'receiver_drained', 'sendable',
      'settled'])
      connection.on(event, () => this.look());
  }

  end(why) {
    this.ended = this.ended || why;
    this.look();
  }

  look() {
    this.waiting = this.waiting.filter(({ condition, resolve, reject }) => {
      if (condition()) resolve();
      else if (this.ended) reject(this.ended);
      else return true;
      return false;
    });
  }

  /** Waits until `condition()`, which is looked at whenever something came. */
  until(condition) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ condition, resolve, reject });
      this.look();
    });
  }

  /** `terms` may hold anything that rhea takes. */
  async sender(address, terms = {}) {
    const link = this.connection.open_sender({ target: { address }, ...terms });
    await this.until(() => link.is_open());
    return link;
  }

  /** Keeps up `credit`; with 0 it has what add_credit() gives it. */
  async receiver(address, credit, terms = {}) {
    const link = this.connection.open_receiver(
      { source: { address }, credit_window: credit, ...terms });
    link.inbox = [];
    await this.until(() => link.is_open());
    return link;
  }

  /** Sends once there is credit, without waiting for the outcome. */
  async put(sender, message) {
    await this.until(() => sender.sendable());
    return sender.send(message);
  }

  /** Sends, and waits for the name of the outcome. */
  async send(sender, message) {
    const delivery = await this.put(sender, message);
    await this.until(() => delivery.remote_settled);
    return delivery.remote_state.constructor.composite_type;
  }

  async take(receiver) {
    await this.until(() => receiver.inbox.length > 0);
    return receiver.inbox.shift();
  }

  async detach(link) {
    link.close();
    await this.until(() => link.is_closed());
  }

  /** Nothing keeps the program running afterwards. */
  close() {
    this.connection.close();
  }
}

/** Management over AMQP: a pair of links with one name. */
class Management {
  static async open(client) {
    const self = new Management();
    const terms = {
      name: 'management', properties: { paired: true }, snd_settle_mode: 1,
    };
    // rhea finds links by their name alone, so one is open before the other.
    self.client = client;
    self.out = await client.sender('/management',
      { ...terms, source: { address: 'me' } });
    self.in = await client.receiver('/management', 10,
      { ...terms, target: { address: 'me' } });
    self.asked = 0;
    return self;
  }

  /** One request; its status, and the body of the answer. */
  async ask(method, path, body = null) {
    await this.client.put(this.out, {
      message_id: String(++this.asked), to: path, subject: method,
      reply_to: '$me', body,
    });
    const answer = await this.client.take(this.in);
    return { status: answer.subject, body: answer.body };
  }

  /** A queue of this connection's own; its address. */
  async own_queue(name) {
    const { status } = await this.ask('PUT', `/queues/${name}`,
      { durable: false, exclusive: true, auto_delete: true, arguments: {} });
    if (status !== '201') throw new Error(`a queue of my own: ${status}`);
    return `/queues/${name}`;
  }
}

module.exports = { Client, Ended, Management };
