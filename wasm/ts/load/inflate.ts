/**
 * DEFLATE (RFC 1951), small and synchronous: platforms only have it asynchronous, and the core's bytes must be
 * there at once. Trusts its input, which is this package's own.
 */

const MAX_BITS = 15;
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** Least lengths and distances, and how many extra bits each symbol has. */
const [LENGTHS, LENGTH_BITS] = ladder(3, 29, (symbol) => (symbol < 8 || symbol === 28 ? 0 : (symbol >> 2) - 1));
const [DISTANCES, DISTANCE_BITS] = ladder(1, 30, (symbol) => (symbol < 4 ? 0 : (symbol >> 1) - 1));
LENGTHS[28] = 258;

function ladder(first: number, count: number, bitsOf: (symbol: number) => number): [number[], number[]] {
  const least: number[] = [];
  const extra: number[] = [];
  for (let symbol = 0, next = first; symbol < count; symbol++) {
    const bits = bitsOf(symbol);
    least.push(next);
    extra.push(bits);
    next += 1 << bits;
  }
  return [least, extra];
}

/** A canonical Huffman code: how many codes each length has, and the symbols in the order of their codes. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function codeOf(lengths: ArrayLike<number>): Code {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (let symbol = 0; symbol < lengths.length; symbol++) counts[lengths[symbol]!]! += 1;
  counts[0] = 0;
  const starts = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) starts[bits + 1] = starts[bits]! + counts[bits]!;
  const symbols = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    if (lengths[symbol]) symbols[starts[lengths[symbol]!]!++] = symbol;
  }
  return { counts, symbols };
}

/** Inflates `input` to its `size` bytes. */
export function inflate(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size);
  let written = 0;
  let read = 0;
  let buffer = 0;
  let buffered = 0;

  const take = (bits: number): number => {
    for (; buffered < bits; buffered += 8) buffer |= input[read++]! << buffered;
    const value = buffer & ((1 << bits) - 1);
    buffer >>>= bits;
    buffered -= bits;
    return value;
  };

  const decode = ({ counts, symbols }: Code): number => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; ; bits++) {
      code |= take(1);
      const count = counts[bits]!;
      if (code - first < count) return symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
  };

  const readCodes = (): [Code, Code] => {
    const literals = take(5) + 257;
    const distances = take(5) + 1;
    const used = take(4) + 4;
    const lengths = new Uint8Array(literals + distances);
    const orderLengths = new Uint8Array(19);
    for (let at = 0; at < used; at++) orderLengths[CODE_LENGTH_ORDER[at]!] = take(3);
    const lengthCode = codeOf(orderLengths);
    for (let at = 0; at < lengths.length; ) {
      const symbol = decode(lengthCode);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      const repeated = symbol === 16 ? lengths[at - 1]! : 0;
      const times = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7);
      lengths.fill(repeated, at, (at += times));
    }
    return [codeOf(lengths.subarray(0, literals)), codeOf(lengths.subarray(literals))];
  };

  const fixedCodes = (): [Code, Code] => {
    const lengths = Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8));
    return [codeOf(lengths), codeOf(new Uint8Array(30).fill(5))];
  };

  const copyStored = (): void => {
    // To the next whole byte; what was buffered beyond it is read anew.
    read -= buffered >> 3;
    buffer = buffered = 0;
    const length = input[read]! | (input[read + 1]! << 8);
    output.set(input.subarray(read + 4, read + 4 + length), written);
    read += 4 + length;
    written += length;
  };

  for (let isLast = false; !isLast; ) {
    isLast = take(1) === 1;
    const kind = take(2);
    if (kind === 0) {
      copyStored();
      continue;
    }
    const [literals, distances] = kind === 2 ? readCodes() : fixedCodes();
    for (let symbol = decode(literals); symbol !== 256; symbol = decode(literals)) {
      if (symbol < 256) {
        output[written++] = symbol;
        continue;
      }
      const length = LENGTHS[symbol - 257]! + take(LENGTH_BITS[symbol - 257]!);
      const distance = decode(distances);
      let from = written - DISTANCES[distance]! - take(DISTANCE_BITS[distance]!);
      for (const end = written + length; written < end; ) output[written++] = output[from++]!;
    }
  }
  return output;
}
