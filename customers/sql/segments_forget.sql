-- Drops the working table of segments_changes. No parameters.
DROP TABLE segment_change
