/**
 * Moves ids that are due into the set of the job that takes them. What an earlier run of the same job took and did not
 * finish comes first.
 * KEYS[1] the sorted set of the ids that wait. KEYS[2] the set of the job. ARGV[1] due until then. ARGV[2] how many ids.
 * Answers the ids.
 */
export const takeDueLua = `
local left = redis.call('SRANDMEMBER', KEYS[2], ARGV[2])
if #left > 0 then
  return left
end
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
if #due > 0 then
  redis.call('ZREM', KEYS[1], unpack(due))
  redis.call('SADD', KEYS[2], unpack(due))
end
return due
`;
