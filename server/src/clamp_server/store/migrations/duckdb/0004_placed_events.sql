-- Whose a joined event of a server is, to be found by that. Nobody's are not here.
CREATE TABLE served_events (
    project_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    visitor_key UBIGINT NOT NULL,
    start_order BIGINT NOT NULL
);

-- Of those whose visitor has a session to take values from: these values, and the
-- session that the event belongs to, 0 for none (see session_sql.py).
CREATE TABLE placed_events (
    project_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    visit_key UBIGINT NOT NULL,
    first_pathname VARCHAR NOT NULL,
    first_referrer_host VARCHAR NOT NULL,
    first_channel VARCHAR NOT NULL,
    first_country VARCHAR NOT NULL,
    first_region VARCHAR NOT NULL,
    first_city VARCHAR NOT NULL,
    first_device_type VARCHAR NOT NULL,
    first_browser VARCHAR NOT NULL,
    first_browser_version VARCHAR NOT NULL,
    first_os VARCHAR NOT NULL,
    first_os_version VARCHAR NOT NULL,
    first_utm_source VARCHAR NOT NULL,
    first_utm_medium VARCHAR NOT NULL,
    first_utm_campaign VARCHAR NOT NULL,
    first_utm_content VARCHAR NOT NULL,
    first_utm_term VARCHAR NOT NULL
);

-- What is joined, with what puts it in order.
CREATE VIEW ordered_pieces AS
SELECT *, span_order(occurred_at, session_key) AS start_order,
       span_order(last_at, session_key) AS end_order
FROM joined_pieces;

-- Who has too many events to be placed again and again.
CREATE TABLE crowded_visitors (
    project_id VARCHAR NOT NULL,
    visitor_key UBIGINT NOT NULL
);

-- Of whom what is placed may be out of date: something is not joined yet, or they are
-- crowded.
CREATE VIEW unplaced_visitors AS
SELECT project_id, visitor_key FROM events
WHERE seq > (SELECT seq FROM joined_until) AND visitor_key <> 0
UNION ALL
SELECT project_id, visitor_key FROM crowded_visitors;

-- Events of before are joined once more, some at a time, to be placed.
TRUNCATE joined_pieces;
UPDATE joined_until SET seq = 0;
