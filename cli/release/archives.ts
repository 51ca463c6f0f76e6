/** Archives of a release: the same files give the same bytes, whatever their times, owners and modes are on disk. */
import { createWriteStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { ZipFile } from "yazl";
import { zipEntryOptions } from "../zip-entry-options.ts";

/** A file of an archive: its path there, with `/`, and its bytes. */
export interface ArchiveEntry {
  readonly path: string;
  readonly content: Buffer;
}

/** Every file under a folder as an entry, sorted by path; nothing else of the disk is taken. */
export function entriesOf(folder: string): ArchiveEntry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(folder, file).replaceAll(sep, "/"), content: readFileSync(file) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Writes a zip, the entries in their order. */
export async function writeZip(file: string, entries: readonly ArchiveEntry[]): Promise<void> {
  const archive = new ZipFile();
  for (const { path, content } of entries) archive.addBuffer(content, path, zipEntryOptions);
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(file));
}

/**
 * Writes a gzipped tar (ustar), the entries in their order.
 *
 * @throws RangeError for a path of more than 100 bytes, which the format splits in two
 */
export function writeTarGz(file: string, entries: readonly ArchiveEntry[]): void {
  const blocks = entries.flatMap(({ path, content }) => [
    tarHeader(path, content.length),
    content,
    Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes),
  ]);
  const zipped = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]), { level: 9 });
  // The operating system that packed it: 255 is "unknown". The time is 0 already.
  zipped[9] = 255;
  writeFileSync(file, zipped);
}

const blockBytes = 512;

/** The header of a regular file with mode 644, of root, from the time that zips have too. */
function tarHeader(path: string, bytes: number): Buffer {
  if (Buffer.byteLength(path) > 100)
    throw new RangeError(`The path ${path} is too long for a tar archive; shorten it to 100 bytes.`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(path, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes, 11), 124);
  header.write(octal(Date.UTC(1980, 0, 1) / 1000, 11), 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write("root", 265);
  header.write("root", 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
