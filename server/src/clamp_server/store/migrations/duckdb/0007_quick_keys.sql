-- The lower half of a text's MD5. DuckDB's md5_number_lower says the same number in six
-- times the time: it writes all bits out as text, and reads half of them back.
CREATE MACRO text_key(text) AS (md5_number(text) >> 64)::UBIGINT;

CREATE OR REPLACE MACRO id_key(id) AS CASE WHEN id = '' THEN 0::UBIGINT ELSE text_key(id) END;

CREATE OR REPLACE VIEW ordered_events AS
SELECT *, span_order(occurred_at, session_key) AS start_order,
       CASE WHEN name = '$pageview' THEN 0 ELSE 4611686018427387904 END + place
           AS entry_order,
       CASE WHEN name = '$pageview' THEN 4611686018427387904 ELSE 0 END + place
           AS exit_order
FROM (
    SELECT *,
           (epoch_ms(occurred_at) << 20) + (text_key(concat_ws(
               chr(31), pathname, referrer_host, channel, country, region, city,
               device_type, browser, browser_version, os, os_version, utm_source,
               utm_medium, utm_campaign, utm_content, utm_term
           )) % 1048576)::BIGINT AS place
    FROM events
);
