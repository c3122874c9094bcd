DATE_FORMAT = "Y. n. j."
DATETIME_FORMAT = "Y. n. j. H:i T"
