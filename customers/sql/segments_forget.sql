-- Drops the working table of a refresh. No parameters.
DROP TABLE segment_change
