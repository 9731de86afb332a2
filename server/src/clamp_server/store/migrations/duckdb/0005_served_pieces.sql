-- What servers sent and is joined, event by event. To look for these few among all events
-- takes longer than what is asked of them.
CREATE TABLE joined_served (
    project_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    session_key UBIGINT NOT NULL,
    visitor_key UBIGINT NOT NULL,
    pathname VARCHAR NOT NULL,
    referrer_host VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    city VARCHAR NOT NULL,
    device_type VARCHAR NOT NULL,
    browser VARCHAR NOT NULL,
    browser_version VARCHAR NOT NULL,
    os VARCHAR NOT NULL,
    os_version VARCHAR NOT NULL,
    utm_source VARCHAR NOT NULL,
    utm_medium VARCHAR NOT NULL,
    utm_campaign VARCHAR NOT NULL,
    utm_content VARCHAR NOT NULL,
    utm_term VARCHAR NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    page_views INTEGER NOT NULL
);

-- What servers sent: each event is a piece of its own.
CREATE VIEW served_pieces AS
SELECT project_id, seq, visitor_key,
       pathname, referrer_host, channel, country, region, city, device_type, browser,
       browser_version, os, os_version, utm_source, utm_medium, utm_campaign,
       utm_content, utm_term, occurred_at,
       span_order(occurred_at, session_key) AS start_order, 1 AS events, page_views
FROM joined_served
UNION ALL
SELECT project_id, seq, visitor_key,
       pathname, referrer_host, channel, country, region, city, device_type, browser,
       browser_version, os, os_version, utm_source, utm_medium, utm_campaign,
       utm_content, utm_term, occurred_at,
       start_order, events, page_views
FROM event_pieces
WHERE seq > (SELECT seq FROM joined_until) AND sent_by = 'server';

-- The same rows say whose a joined event is, in the place of a table.
DROP TABLE served_events;
CREATE VIEW served_events AS
SELECT project_id, seq, visitor_key, span_order(occurred_at, session_key) AS start_order
FROM joined_served
WHERE visitor_key <> 0;

-- Events of before are joined once more, some at a time.
TRUNCATE joined_pieces;
TRUNCATE placed_events;
UPDATE joined_until SET seq = 0;
