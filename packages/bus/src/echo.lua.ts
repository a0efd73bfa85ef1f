/**
 * Does what a request does, and publishes that it is done: no step of it works on a Redis that would refuse a request.
 * KEYS[1] a stream of which one entry is kept. ARGV[1] the channel. ARGV[2] what is published.
 */
export const echoLua = `
redis.call('XLEN', KEYS[1])
redis.call('TIME')
redis.call('XADD', KEYS[1], 'MAXLEN', 1, '*', 'echo', ARGV[2])
return redis.call('PUBLISH', ARGV[1], ARGV[2])
`;
