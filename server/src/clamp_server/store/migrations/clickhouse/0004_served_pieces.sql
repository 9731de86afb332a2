-- See duckdb/0005.
CREATE VIEW IF NOT EXISTS served_pieces AS
SELECT * FROM single_pieces WHERE sent_by = 'server';
