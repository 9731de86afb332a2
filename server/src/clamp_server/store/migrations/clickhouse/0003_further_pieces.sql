-- See duckdb/0003. Of an event by itself nobody knows that it is its session's first.
CREATE VIEW IF NOT EXISTS single_pieces AS
SELECT *, true AS is_further FROM event_pieces;

CREATE OR REPLACE VIEW visit_pieces AS
SELECT * FROM single_pieces WHERE sent_by != 'server';
