-- A piece is a further one if its session had another before it was joined. Of all the
-- pieces of a session, and of any of them, at most one is not: where there is no
-- further one, a session is that piece, and nothing has to be grouped.
ALTER TABLE joined_pieces ADD COLUMN is_further BOOLEAN DEFAULT false;
UPDATE joined_pieces SET is_further = true
WHERE (project_id, session_key) IN (
    SELECT (project_id, session_key) FROM joined_pieces
    GROUP BY project_id, session_key HAVING count(*) > 1
);

-- The events after one `seq`, until another, as rows of joined_pieces.
CREATE MACRO new_pieces(after_seq, until_seq) AS TABLE
WITH piece AS MATERIALIZED (
    -- There are a tenth of that at most (JOIN_AT_MOST in on_duckdb.py). Told so, DuckDB
    -- keeps these in memory to look for, and not the keys of all that there are.
    SELECT * FROM pieces_between(after_seq, until_seq) LIMIT 1000000
)
SELECT piece.*, known.session_key IS NOT NULL
           OR row_number() OVER (PARTITION BY piece.project_id, piece.session_key) > 1
           AS is_further
FROM piece LEFT JOIN (
    SELECT DISTINCT project_id, session_key
    FROM joined_pieces SEMI JOIN piece USING (project_id, session_key)
) AS known USING (project_id, session_key);

-- Of an event by itself nobody knows that it is its session's first.
CREATE VIEW single_pieces AS SELECT *, true AS is_further FROM event_pieces;

CREATE OR REPLACE VIEW visit_pieces AS
SELECT *, span_order(occurred_at, session_key) AS start_order,
       span_order(last_at, session_key) AS end_order
FROM joined_pieces
UNION ALL BY NAME
SELECT * EXCLUDE (seq) FROM single_pieces
WHERE seq > (SELECT seq FROM joined_until) AND sent_by <> 'server';
