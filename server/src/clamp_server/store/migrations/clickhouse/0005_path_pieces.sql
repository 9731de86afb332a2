-- See duckdb/0006.
CREATE VIEW IF NOT EXISTS path_pieces AS SELECT * FROM visit_pieces;
