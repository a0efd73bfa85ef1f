/**
 * Does what a request does, and publishes that it is done: no step of it works on a Redis that would refuse a request.
 * Redis does not say which command of a script its user may not run, so each error is given the name of its command.
 * KEYS[1] a stream of which one entry is kept. ARGV[1] the command that publishes. ARGV[2] the channel. ARGV[3] what is
 * published.
 */
export const echoLua = `
local steps = {
  { 'XLEN', KEYS[1] },
  { 'TIME' },
  { 'XADD', KEYS[1], 'MAXLEN', 1, '*', 'echo', ARGV[3] },
  { ARGV[1], ARGV[2], ARGV[3] },
}
local reply
for _, step in ipairs(steps) do
  reply = redis.pcall(unpack(step))
  if type(reply) == 'table' and reply.err then
    return redis.error_reply(reply.err .. ' (' .. step[1] .. ')')
  end
end
return reply
`;
