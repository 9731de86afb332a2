-- What a visitor's browser did on one path in a quarter of an hour, as far as it came in
-- together: who asks which pages were seen has half as many of these to read as events.
CREATE TABLE joined_path_pieces (
    project_id VARCHAR NOT NULL,
    sent_by VARCHAR NOT NULL,
    visitor_key UBIGINT NOT NULL,
    device_type VARCHAR NOT NULL,
    pathname VARCHAR NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    events BIGINT NOT NULL,
    page_views BIGINT NOT NULL
);

-- Those of the events after one seq, until another, as rows of joined_path_pieces. In
-- this order a visitor's key is written once for all that came in together.
CREATE MACRO new_path_pieces(after_seq, until_seq) AS TABLE
SELECT project_id, sent_by, visitor_key, device_type, pathname,
       min(occurred_at) AS occurred_at, sum(events)::BIGINT AS events,
       sum(page_views)::BIGINT AS page_views
FROM event_pieces
WHERE seq > after_seq AND seq <= until_seq AND sent_by <> 'server'
GROUP BY project_id, sent_by, visitor_key, device_type, pathname,
         time_bucket(INTERVAL 15 MINUTE, event_pieces.occurred_at)
ORDER BY visitor_key;

CREATE VIEW path_pieces AS
SELECT * FROM joined_path_pieces
UNION ALL
SELECT project_id, sent_by, visitor_key, device_type, pathname, occurred_at, events,
       page_views
FROM event_pieces
WHERE seq > (SELECT seq FROM joined_until) AND sent_by <> 'server';

-- Events of before are joined once more, some at a time.
TRUNCATE joined_pieces;
TRUNCATE joined_served;
TRUNCATE placed_events;
UPDATE joined_until SET seq = 0;
