-- Makes a sequence go on beyond all that it ever gave, also in a history that is lost. Nothing that could be lost says
-- how far that was, so the clock does: a million ids for each second since 2020 are more than a core has given,
-- before the first change (ids count from 1) and between two. With a clock that went back, or ids that are ahead
-- of it: a thousand million beyond what is there. That leads to 2^53, where JavaScript ends, in the year 2305.
CREATE OR REPLACE FUNCTION skip_ids(of_sequence TEXT, highest BIGINT, begun BIGINT) RETURNS BIGINT
LANGUAGE sql VOLATILE
RETURN setval(of_sequence::regclass, greatest(
    (begun - 1577836800000) * 1000,
    greatest(highest, nextval(of_sequence::regclass)) + 1000000000));
