import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** Of latencies in microseconds, to three digits, from 1 microsecond to 2 minutes. */
export function createLatencies(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

export function encodeLatencies(latencies: Histogram): string {
  return encodeIntoCompressedBase64(latencies);
}

/** All of several processes together. */
export function mergeLatencies(encoded: readonly string[]): Histogram {
  const all = createLatencies();
  for (const text of encoded) all.add(decodeFromCompressedBase64(text));
  return all;
}
