-- See duckdb/0002. Nothing is kept beside the events here: each is a piece of its own.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS visitor_key UInt64 MATERIALIZED
        if(anonymous_id = '', 0, reinterpretAsUInt64(substring(MD5(anonymous_id), 9))),
    ADD COLUMN IF NOT EXISTS session_key UInt64 MATERIALIZED
        if(session_id = '', 0, reinterpretAsUInt64(substring(MD5(session_id), 9))),
    ADD COLUMN IF NOT EXISTS start_order Int64 ALIAS
        bitShiftLeft(toUnixTimestamp64Milli(occurred_at), 20)
            + toInt64(session_key % 1048576),
    ADD COLUMN IF NOT EXISTS place Int64 ALIAS
        bitShiftLeft(toUnixTimestamp64Milli(occurred_at), 20)
            + reinterpretAsUInt64(substring(MD5(concatWithSeparator(
                char(31), pathname, referrer_host, channel, country, region, city,
                device_type, browser, browser_version, os, os_version, utm_source,
                utm_medium, utm_campaign, utm_content, utm_term
            )), 9)) % 1048576;

CREATE VIEW IF NOT EXISTS ordered_events AS
SELECT *, visitor_key, session_key, start_order,
       place + if(name = '$pageview', 0, 4611686018427387904) AS entry_order
FROM events;

CREATE VIEW IF NOT EXISTS event_pieces AS
SELECT project_id, sent_by, session_key, visitor_key, pathname,
       pathname AS exit_pathname, referrer_host, channel, country, region, city,
       device_type, browser, browser_version, os, os_version, utm_source, utm_medium,
       utm_campaign, utm_content, utm_term, occurred_at, occurred_at AS last_at,
       place + if(name = '$pageview', 0, 4611686018427387904) AS entry_order,
       place + if(name = '$pageview', 4611686018427387904, 0) AS exit_order,
       start_order, start_order AS end_order,
       1 AS events, if(name = '$pageview', 1, 0) AS page_views,
       if(name = '$pageview_end' AND length(strings['engagement_seconds']) < 10
              AND NOT match(strings['engagement_seconds'], '[^0-9]'),
          toInt64OrZero(strings['engagement_seconds']), 0) AS engaged_s
FROM events;

CREATE VIEW IF NOT EXISTS visit_pieces AS
SELECT * FROM event_pieces WHERE sent_by != 'server';
