/**
 * How every entry of a zip is written: with the earliest time that a zip can hold and a fixed mode. DOS time has no
 * zone, so the same bytes come out everywhere.
 */
export const zipEntryOptions = {
  mtime: new Date(1980, 0, 1),
  mode: 0o100644,
  forceDosTimestamp: true,
  compressionLevel: 9,
} as const;
