'use strict';
// Protobuf's wire format, as much as the service's messages need: numbers are
// BigInt, strings and messages are Buffers.

function varint(value) {
  const result = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...result, Number(rest)]);
    result.push(Number(rest & 127n) | 128);
  }
}

function fixed64(field, value) {
  const result = Buffer.alloc(9);
  result[0] = (field << 3) | 1;
  result.writeBigUInt64LE(BigInt(value), 1);
  return result;
}

function bytes(field, value) {
  const content = Buffer.from(value);
  return Buffer.concat(
    [varint((field << 3) | 2), varint(content.length), content]);
}

/** The fields of a message in their order, as [number, value]. */
function fields(message) {
  const result = [];
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(message[at++]);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  };
  while (at < message.length) {
    const key = Number(number());
    if ((key & 7) === 0) {
      result.push([key >> 3, number()]);
    } else if ((key & 7) === 1) {
      result.push([key >> 3, message.readBigUInt64LE(at)]);
      at += 8;
    } else {
      const length = Number(number());
      result.push([key >> 3, message.subarray(at, at + length)]);
      at += length;
    }
  }
  return result;
}

module.exports = { bytes, fields, fixed64 };
