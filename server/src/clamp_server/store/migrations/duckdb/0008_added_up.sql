-- What a piece adds to its session, so that sessions are counted without being grouped:
-- of all pieces that were joined of one until now, the sums of added_ms and added_bounces
-- are its duration and whether it has one page view. And what is known of the session by
-- then, this piece included: when it began and ended, whether all its pieces have the same
-- values beside the path (is_alike), and whether all or none are a bot's (is_one_kind).
-- Values that differ have one values_key with a chance of 1 in 4,294,967,296.
-- Whichever of a session's pieces was joined last knows these of the whole session.
TRUNCATE joined_pieces;
ALTER TABLE joined_pieces ADD COLUMN values_key UINTEGER;
ALTER TABLE joined_pieces ADD COLUMN session_from TIMESTAMP;
ALTER TABLE joined_pieces ADD COLUMN session_until TIMESTAMP;
ALTER TABLE joined_pieces ADD COLUMN added_ms BIGINT;
ALTER TABLE joined_pieces ADD COLUMN added_bounces INTEGER;
ALTER TABLE joined_pieces ADD COLUMN is_alike BOOLEAN;
ALTER TABLE joined_pieces ADD COLUMN is_one_kind BOOLEAN;

CREATE MACRO session_ms(started_at, ended_at, engaged_s) AS
    greatest(date_diff('millisecond', started_at, ended_at), 1000 * engaged_s);

CREATE OR REPLACE MACRO new_pieces(after_seq, until_seq) AS TABLE
WITH piece AS MATERIALIZED (
    -- There are a tenth of that at most (JOIN_AT_MOST in on_duckdb.py). Told so, DuckDB
    -- keeps these in memory to look for, and not the keys of all that there are.
    SELECT *, row_number() OVER () AS place, (text_key(concat_ws(
               chr(31), referrer_host, channel, country, region, city, device_type,
               browser, browser_version, os, os_version, utm_source, utm_medium,
               utm_campaign, utm_content, utm_term
           )) >> 32)::UINTEGER AS values_key
    FROM pieces_between(after_seq, until_seq) LIMIT 1000000
), known AS (
    SELECT project_id, session_key,
           min(occurred_at) AS started_at, max(last_at) AS ended_at,
           sum(page_views)::BIGINT AS page_views, sum(engaged_s)::BIGINT AS engaged_s,
           min(values_key) AS lowest_key, max(values_key) AS highest_key,
           min(device_type = 'bot') AS is_all_bots, max(device_type = 'bot') AS has_bots
    FROM joined_pieces SEMI JOIN piece USING (project_id, session_key)
    GROUP BY project_id, session_key
), so_far AS (
    SELECT piece.*, known.session_key IS NOT NULL OR row_number() OVER joined > 1
               AS is_further,
           least(known.started_at, min(piece.occurred_at) OVER joined) AS session_from,
           greatest(known.ended_at, max(piece.last_at) OVER joined) AS session_until,
           coalesce(known.page_views, 0) + sum(piece.page_views) OVER joined AS views,
           session_ms(
               session_from, session_until,
               coalesce(known.engaged_s, 0) + sum(piece.engaged_s) OVER joined
           ) AS duration_ms,
           session_ms(known.started_at, known.ended_at, known.engaged_s) AS known_ms,
           known.page_views AS known_views,
           least(known.lowest_key, min(piece.values_key) OVER joined)
               = greatest(known.highest_key, max(piece.values_key) OVER joined)
               AS is_alike,
           least(known.is_all_bots, min(piece.device_type = 'bot') OVER joined)
               = greatest(known.has_bots, max(piece.device_type = 'bot') OVER joined)
               AS is_one_kind
    FROM piece LEFT JOIN known USING (project_id, session_key)
    WINDOW joined AS (PARTITION BY piece.project_id, piece.session_key ORDER BY place)
)
SELECT * EXCLUDE (place, views, duration_ms, known_ms, known_views),
       (duration_ms - coalesce(lag(duration_ms) OVER joined, known_ms, 0))::BIGINT
           AS added_ms,
       (views = 1)::INTEGER
           - coalesce(lag(views = 1) OVER joined, known_views = 1, false)::INTEGER
           AS added_bounces
FROM so_far
WINDOW joined AS (PARTITION BY project_id, session_key ORDER BY place);

-- The views of before, with fewer steps and columns between them and the tables: to plan
-- them was a seventh of the time that an overview took.
CREATE OR REPLACE VIEW event_pieces AS
SELECT seq, project_id, sent_by, session_key, visitor_key, pathname,
       pathname AS exit_pathname, referrer_host, channel, country, region, city,
       device_type, browser, browser_version, os, os_version, utm_source, utm_medium,
       utm_campaign, utm_content, utm_term, occurred_at, occurred_at AS last_at,
       place + 4611686018427387904 * (1 - page_views) AS entry_order,
       place + 4611686018427387904 * page_views AS exit_order,
       span_order(occurred_at, session_key) AS start_order,
       span_order(occurred_at, session_key) AS end_order,
       1 AS events, page_views, engaged_s
FROM (
    SELECT seq, project_id, sent_by, session_key, visitor_key, pathname, referrer_host,
           channel, country, region, city, device_type, browser, browser_version, os,
           os_version, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
           occurred_at,
           (epoch_ms(occurred_at) << 20) + (text_key(concat_ws(
               chr(31), pathname, referrer_host, channel, country, region, city,
               device_type, browser, browser_version, os, os_version, utm_source,
               utm_medium, utm_campaign, utm_content, utm_term
           )) % 1048576)::BIGINT AS place,
           CASE WHEN name = '$pageview' THEN 1 ELSE 0 END AS page_views,
           coalesce(
               CASE WHEN name = '$pageview_end'
                         AND length(strings['engagement_seconds']) < 10
                         AND NOT regexp_matches(strings['engagement_seconds'], '[^0-9]')
                    THEN TRY_CAST(strings['engagement_seconds'] AS BIGINT) END,
               0
           ) AS engaged_s
    FROM events
);

-- Of an event by itself nobody knows what its session has beside it.
CREATE OR REPLACE VIEW single_pieces AS
SELECT *, true AS is_further, NULL::TIMESTAMP AS session_from,
       NULL::TIMESTAMP AS session_until, NULL::BIGINT AS added_ms,
       NULL::INTEGER AS added_bounces, false AS is_alike, false AS is_one_kind
FROM event_pieces;

CREATE OR REPLACE VIEW visit_pieces AS
SELECT * EXCLUDE (values_key), span_order(occurred_at, session_key) AS start_order,
       span_order(last_at, session_key) AS end_order
FROM joined_pieces
UNION ALL BY NAME
SELECT * EXCLUDE (seq) FROM single_pieces
WHERE seq > (SELECT seq FROM joined_until) AND sent_by <> 'server';

-- Events of before are joined once more, some at a time.
TRUNCATE joined_path_pieces;
TRUNCATE joined_served;
TRUNCATE placed_events;
UPDATE joined_until SET seq = 0;
