-- Events, one row each, in the order in which a project's questions read them. Two
-- processes may store an event with the same id in the same moment: it is one for
-- whoever asks with `final`, and one on disk when its parts are merged. Those without
-- an id are told apart by chance, in a column that `*` leaves out.
CREATE TABLE IF NOT EXISTS events (
    project_id LowCardinality(String),
    seq Int64,
    id String,
    name LowCardinality(String),
    sent_by LowCardinality(String),
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    anonymous_id String,
    user_id String,
    session_id String,
    url String,
    hostname LowCardinality(String),
    pathname String,
    utm_source LowCardinality(String),
    utm_medium LowCardinality(String),
    utm_campaign LowCardinality(String),
    utm_content LowCardinality(String),
    utm_term LowCardinality(String),
    referrer String,
    referrer_host LowCardinality(String),
    channel LowCardinality(String),
    browser LowCardinality(String),
    browser_version LowCardinality(String),
    os LowCardinality(String),
    os_version LowCardinality(String),
    device_type LowCardinality(String),
    country LowCardinality(String),
    region LowCardinality(String),
    city LowCardinality(String),
    screen_width Int32,
    screen_height Int32,
    language LowCardinality(String),
    platform LowCardinality(String),
    strings Map(String, String),
    numbers Map(String, Float64),
    booleans Map(String, Bool),
    money_amounts Map(String, Decimal(38, 18)),
    money_currencies Map(String, String),
    error_message String,
    error_type LowCardinality(String),
    error_stack String,
    error_handled Bool,
    error_fingerprint String,
    error_fingerprint_version Int32,
    error_fingerprint_parts String,
    chance UInt64 MATERIALIZED rand64()
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (project_id, occurred_at, id, if(id = '', seq, 0), if(id = '', chance, 0))
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The ids of the last days, in an order in which one is found quickly.
CREATE TABLE IF NOT EXISTS event_ids (
    project_id LowCardinality(String),
    id String,
    seq Int64,
    stored_at DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY toDate(stored_at)
ORDER BY (project_id, id)
TTL stored_at + INTERVAL 8 DAY
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS event_ids_of_events TO event_ids AS
SELECT project_id, id, seq FROM events WHERE id != '';
