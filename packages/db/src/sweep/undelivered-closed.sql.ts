/** Of a member `m` and their closed group `g`: its last state or messages of it have not been delivered. */
export const undeliveredClosed = `greatest(m.delivered_version, m.retried_version) < g.version
    OR g.last_seq > greatest(m.delivered_seq, m.joined_seq)`;
