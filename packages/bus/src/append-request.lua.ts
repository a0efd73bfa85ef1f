/**
 * Appends an entry to a stream unless the stream is full.
 * KEYS[1] the stream. ARGV[1] most entries in it. ARGV[2...] the entry's fields and values.
 * Answers the entry's id, or nil when the stream is full.
 */
export const appendRequestLua = `
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return false
end
return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
`;
