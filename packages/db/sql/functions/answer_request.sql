-- Stores the answer of a request that begin_request has begun, and returns it.
CREATE OR REPLACE FUNCTION answer_request(by_user_id BIGINT, with_request_id UUID, with_answer JSONB) RETURNS JSONB
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE request SET answer = with_answer
    WHERE user_id = by_user_id AND request_id = with_request_id
    RETURNING answer;
END;
