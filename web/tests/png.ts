/** Pictures for the documentation: a screenshot with at most 256 colours takes a third of the bytes. */

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Three bytes a pixel. */
  readonly rgb: Uint8Array;
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** What Chromium writes: 8 bits a channel, without alpha, not interlaced. */
function decode(png: Buffer): Pixels {
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString("latin1", at + 4, at + 8);
    if (type === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = { 2: 3, 6: 4 }[png[25] ?? 0];
  if (!channels || png[24] !== 8) throw new Error("the screenshot is in a format that this does not read");
  const raw = inflateSync(Buffer.concat(data));
  const size = width * channels;
  const lines = new Uint8Array(size * height);
  const rgb = new Uint8Array(width * height * 3);
  const byte = (y: number, x: number) => (y < 0 || x < 0 ? 0 : (lines[y * size + x] ?? 0));
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (size + 1)];
    for (let x = 0; x < size; x++) {
      const [left, up, corner] = [byte(y, x - channels), byte(y - 1, x), byte(y - 1, x - channels)];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      lines[y * size + x] = (raw[y * (size + 1) + 1 + x] ?? 0) + guess;
    }
    for (let x = 0; x < width; x++) {
      const from = y * size + x * channels;
      rgb.set(lines.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, rgb };
}

/** The most frequent colours; another one becomes the nearest of them. */
function palette({ rgb }: Pixels): { colours: number[]; indexOf: (colour: number) => number } {
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) {
    const colour = ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const colours = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, COLOURS)
    .map(([colour]) => colour);
  const known = new Map(colours.map((colour, index) => [colour, index]));
  const far = (a: number, b: number) =>
    Math.abs((a >> 16) - (b >> 16)) +
    Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)) +
    Math.abs((a & 255) - (b & 255));
  const indexOf = (colour: number) => {
    const found = known.get(colour);
    if (found !== undefined) return found;
    const nearest = colours.reduce(
      (best, each, index) => (far(each, colour) < far(colours[best] ?? 0, colour) ? index : best),
      0,
    );
    known.set(colour, nearest);
    return nearest;
  };
  return { colours, indexOf };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export function smaller(screenshot: Buffer): Buffer {
  const pixels = decode(screenshot);
  const { width, height, rgb } = pixels;
  const { colours, indexOf } = palette(pixels);
  const lines = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at++) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(at * 3, at * 3 + 3);
    const line = Math.floor(at / width);
    lines[line * (width + 1) + 1 + (at % width)] = indexOf((red << 16) | (green << 8) | blue);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const shades = Buffer.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", shades),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
