// XXH3-64 with seed 0, written from its specification, with BigInt.

const SECRET = view(
  Uint8Array.from(
    [
      "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221",
      "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8",
      "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb",
      "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e",
    ]
      .join("")
      .match(/../g),
    (hex) => parseInt(hex, 16),
  ),
);
const SECRET_LENGTH = 192;
const [P32_1, P32_2, P32_3] = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn];
const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P64_5 = 0x27d4eb2f165667c5n;
const MX_1 = 0x165667919e3779f9n;
const MX_2 = 0x9fb21c651e98df25n;
const LOW = 0xffffffffn;
const ENCODER = new TextEncoder();

/** Returns the hash of a text's UTF-8 bytes. */
export function xxh3(text) {
  const bytes = ENCODER.encode(text);
  const input = view(bytes);
  const length = bytes.length;
  if (length > 240) return long(input, length);
  if (length > 128) return middle(input, length);
  if (length > 16) return short(input, length);
  return tiny(input, bytes, length);
}

function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const u64 = (number) => BigInt.asUintN(64, number);
const at64 = (data, at) => data.getBigUint64(at, true);
const at32 = (data, at) => BigInt(data.getUint32(at, true));
const secret64 = (at) => at64(SECRET, at);
const rotated = (number, by) => u64((number << by) | (number >> (64n - by)));

function folded(a, b) {
  const product = a * b;
  return u64(product) ^ (product >> 64n);
}

function avalanche(hash) {
  hash = u64((hash ^ (hash >> 37n)) * MX_1);
  return hash ^ (hash >> 32n);
}

function avalanche64(hash) {
  hash = u64((hash ^ (hash >> 33n)) * P64_2);
  hash = u64((hash ^ (hash >> 29n)) * P64_3);
  return hash ^ (hash >> 32n);
}

function tiny(input, bytes, length) {
  const count = BigInt(length);
  if (length > 8) {
    const low = at64(input, 0) ^ secret64(24) ^ secret64(32);
    const high = at64(input, length - 8) ^ secret64(40) ^ secret64(48);
    const swapped = new DataView(new ArrayBuffer(8));
    swapped.setBigUint64(0, low, true);
    return avalanche(u64(count + swapped.getBigUint64(0, false) + high + folded(low, high)));
  }
  if (length > 3) {
    const both = at32(input, length - 4) + (at32(input, 0) << 32n);
    let hash = both ^ secret64(8) ^ secret64(16);
    hash = u64((hash ^ rotated(hash, 49n) ^ rotated(hash, 24n)) * MX_2);
    hash = u64((hash ^ ((hash >> 35n) + count)) * MX_2);
    return hash ^ (hash >> 28n);
  }
  if (length > 0) {
    const [first, middleOne, last] = [bytes[0], bytes[length >> 1], bytes[length - 1]].map(BigInt);
    const mixed = (first << 16n) | (middleOne << 24n) | last | (count << 8n);
    return avalanche64(mixed ^ at32(SECRET, 0) ^ at32(SECRET, 4));
  }
  return avalanche64(secret64(56) ^ secret64(64));
}

function mixed16(input, at, secretAt) {
  return folded(at64(input, at) ^ secret64(secretAt), at64(input, at + 8) ^ secret64(secretAt + 8));
}

function short(input, length) {
  let sum = BigInt(length) * P64_1;
  for (let i = (length - 1) >> 5; i >= 0; i -= 1) {
    sum += mixed16(input, 16 * i, 32 * i) + mixed16(input, length - 16 * (i + 1), 32 * i + 16);
  }
  return avalanche(u64(sum));
}

function middle(input, length) {
  let sum = BigInt(length) * P64_1;
  for (let i = 0; i < 8; i += 1) sum += mixed16(input, 16 * i, 16 * i);
  sum = avalanche(u64(sum));
  for (let i = 8; i < length >> 4; i += 1) sum += mixed16(input, 16 * i, 16 * (i - 8) + 3);
  return avalanche(u64(sum + mixed16(input, length - 16, 136 - 17)));
}

function long(input, length) {
  const lanes = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1];
  const stripes = Math.floor((length - 1) / 64);
  for (let stripe = 0; stripe < stripes; stripe += 1) {
    accumulate(lanes, input, stripe * 64, (stripe % 16) * 8);
    if (stripe % 16 === 15) scramble(lanes);
  }
  accumulate(lanes, input, length - 64, SECRET_LENGTH - 64 - 7);
  let sum = BigInt(length) * P64_1;
  for (let i = 0; i < 4; i += 1) {
    sum += folded(lanes[2 * i] ^ secret64(11 + 16 * i), lanes[2 * i + 1] ^ secret64(19 + 16 * i));
  }
  return avalanche(u64(sum));
}

function accumulate(lanes, input, at, secretAt) {
  for (let i = 0; i < 8; i += 1) {
    const value = at64(input, at + 8 * i);
    const keyed = value ^ secret64(secretAt + 8 * i);
    lanes[i ^ 1] = u64(lanes[i ^ 1] + value);
    lanes[i] = u64(lanes[i] + (keyed & LOW) * (keyed >> 32n));
  }
}

function scramble(lanes) {
  for (let i = 0; i < 8; i += 1) {
    const lane = lanes[i] ^ (lanes[i] >> 47n) ^ secret64(SECRET_LENGTH - 64 + 8 * i);
    lanes[i] = u64(lane * P32_1);
  }
}
