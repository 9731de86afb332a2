-- Ids as numbers: whoever counts, groups or joins by these is several times as fast.
CREATE MACRO id_key(id) AS CASE WHEN id = '' THEN 0::UBIGINT ELSE md5_number_lower(id) END;
ALTER TABLE events ADD COLUMN visitor_key UBIGINT DEFAULT 0;
ALTER TABLE events ALTER COLUMN visitor_key SET DATA TYPE UBIGINT USING id_key(anonymous_id);
ALTER TABLE events ADD COLUMN session_key UBIGINT DEFAULT 0;
ALTER TABLE events ALTER COLUMN session_key SET DATA TYPE UBIGINT USING id_key(session_id);

-- Events with what puts them in order (see piece_sql.py). A later step that changes the
-- columns of events makes this view again.
CREATE MACRO span_order(instant, session_key) AS
    (epoch_ms(instant) << 20) + (session_key % 1048576)::BIGINT;
CREATE VIEW ordered_events AS
SELECT *, span_order(occurred_at, session_key) AS start_order,
       CASE WHEN name = '$pageview' THEN 0 ELSE 4611686018427387904 END + place
           AS entry_order,
       CASE WHEN name = '$pageview' THEN 4611686018427387904 ELSE 0 END + place
           AS exit_order
FROM (
    SELECT *,
           (epoch_ms(occurred_at) << 20) + (md5_number_lower(concat_ws(
               chr(31), pathname, referrer_host, channel, country, region, city,
               device_type, browser, browser_version, os, os_version, utm_source,
               utm_medium, utm_campaign, utm_content, utm_term
           )) % 1048576)::BIGINT AS place
    FROM events
);

-- Every event as a piece of its own.
CREATE VIEW event_pieces AS
SELECT seq, project_id, sent_by, session_key, visitor_key, pathname,
       pathname AS exit_pathname, referrer_host, channel, country, region, city,
       device_type, browser, browser_version, os, os_version, utm_source, utm_medium,
       utm_campaign, utm_content, utm_term, occurred_at, occurred_at AS last_at,
       entry_order, exit_order, start_order, start_order AS end_order, 1 AS events,
       CASE WHEN name = '$pageview' THEN 1 ELSE 0 END AS page_views,
       coalesce(
           CASE WHEN name = '$pageview_end'
                     AND length(strings['engagement_seconds']) < 10
                     AND NOT regexp_matches(strings['engagement_seconds'], '[^0-9]')
                THEN TRY_CAST(strings['engagement_seconds'] AS BIGINT) END,
           0
       ) AS engaged_s
FROM ordered_events;

CREATE TABLE joined_pieces (
    project_id VARCHAR NOT NULL,
    sent_by VARCHAR NOT NULL,
    session_key UBIGINT NOT NULL,
    visitor_key UBIGINT NOT NULL,
    pathname VARCHAR NOT NULL,
    exit_pathname VARCHAR NOT NULL,
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
    last_at TIMESTAMP NOT NULL,
    entry_order BIGINT NOT NULL,
    exit_order BIGINT NOT NULL,
    events BIGINT NOT NULL,
    page_views BIGINT NOT NULL,
    engaged_s BIGINT NOT NULL
);

-- The pieces of what browsers sent after one `seq`, until another: one of each quarter
-- of an hour of a session, as far as all its values are the same.
CREATE MACRO pieces_between(after_seq, until_seq) AS TABLE
SELECT project_id, sent_by, session_key, visitor_key,
       arg_min(pathname, entry_order) AS pathname,
       arg_max(pathname, exit_order) AS exit_pathname,
       referrer_host, channel, country, region, city, device_type, browser,
       browser_version, os, os_version, utm_source, utm_medium, utm_campaign,
       utm_content, utm_term,
       min(occurred_at) AS occurred_at, max(last_at) AS last_at,
       min(entry_order) AS entry_order, max(exit_order) AS exit_order,
       sum(events)::BIGINT AS events, sum(page_views)::BIGINT AS page_views,
       sum(engaged_s)::BIGINT AS engaged_s
FROM event_pieces
WHERE seq > after_seq AND seq <= until_seq AND sent_by <> 'server'
GROUP BY project_id, sent_by, session_key, visitor_key,
         time_bucket(INTERVAL 15 MINUTE, event_pieces.occurred_at), referrer_host,
         channel, country, region, city, device_type, browser, browser_version, os,
         os_version, utm_source, utm_medium, utm_campaign, utm_content, utm_term;

-- Until which `seq` events are in joined_pieces: one row. Those of step 1 are joined
-- with the events to come, some at a time.
CREATE TABLE joined_until (seq BIGINT NOT NULL);
INSERT INTO joined_until VALUES (0);

-- What browsers sent: every event is in exactly one of these.
CREATE VIEW visit_pieces AS
SELECT *, span_order(occurred_at, session_key) AS start_order,
       span_order(last_at, session_key) AS end_order
FROM joined_pieces
UNION ALL
SELECT project_id, sent_by, session_key, visitor_key, pathname, exit_pathname,
       referrer_host, channel, country, region, city, device_type, browser,
       browser_version, os, os_version, utm_source, utm_medium, utm_campaign,
       utm_content, utm_term, occurred_at, last_at, entry_order, exit_order, events,
       page_views, engaged_s, start_order, end_order
FROM event_pieces
WHERE seq > (SELECT seq FROM joined_until) AND sent_by <> 'server';
