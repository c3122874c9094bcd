-- The working table of a refresh: one row per customer and segment that change; enters, or else leaves. No parameters.
CREATE TEMPORARY TABLE segment_change (segment_id bigint NOT NULL, customer_id bigint NOT NULL, enters boolean NOT NULL)
