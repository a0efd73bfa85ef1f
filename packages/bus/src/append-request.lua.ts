/** A stream with more entries than this is measured now and then only: that visits each part of it. */
const entriesMeasuredAlways = 100;
const measuredEveryMs = 100;

/**
 * Appends an entry to a stream unless the stream is full.
 *
 * How many bytes the stream has is not counted by those who write and delete, because a counter is wrong for good after a
 * process died between the two: Redis measures it. Between two measurements of a long stream what is appended is added.
 * A Redis that forbids MEMORY USAGE bounds the entries alone.
 *
 * KEYS[1] the stream, KEYS[2] its bytes of late. ARGV[1] most entries in it, ARGV[2] most bytes. ARGV[3...] the entry's
 * fields and values.
 * Answers the entry's id, or what is full, `entries` or `bytes`; and how many bytes the stream has then.
 */
export const appendRequestLua = `
local entries = redis.call('XLEN', KEYS[1])
local is_long = entries > ${entriesMeasuredAlways}
local bytes = is_long and tonumber(redis.call('GET', KEYS[2]) or nil)
if not bytes then
  bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0)
  if type(bytes) ~= 'number' then
    bytes = 0
  end
  if is_long then
    redis.call('SET', KEYS[2], bytes, 'PX', ${measuredEveryMs})
  end
end
if entries >= tonumber(ARGV[1]) then
  return {'entries', bytes}
end
local size = 0
for index = 3, #ARGV do
  size = size + #ARGV[index]
end
if entries > 0 and bytes + size > tonumber(ARGV[2]) then
  return {'bytes', bytes}
end
if is_long then
  redis.call('INCRBY', KEYS[2], size)
end
return {redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3)), bytes + size}
`;
