"""The value of CDNOW's customer base, end to end.

Fader, Hardie & Lee (2005), "RFM and CLV", J. Marketing Research 42(4), tables 2 and 3: margin 30 %,
15 % a year (delta .0027 a week), 78 weeks, all customers but the ten who spent more than anyone. The
paper rounds (about $47 a head, just over $1.1 million, 12,054 one-time buyers at $4.40; terciles
10/62/201 by recency, 18/50/205 by frequency, 31/81/160 by money). The figures below were computed with
an independent program from the 78-week estimates of the sample.
"""

from __future__ import annotations

MARGIN = 0.3
DELTA = 0.0027
LAST_WEEK = "1998-06-30"
BIGGEST_SPENDERS = 10

CUSTOMERS = 23_560
AVERAGE = 46.55
TOTAL = 1_096_801
ONE_TIME_BUYERS, THEIR_AVERAGE = 12_054, 4.39
TERCILES = {
    "recency": (10.4, 64.4, 197.3),
    "frequency": (19.3, 49.1, 203.8),
    "money": (31.3, 81.2, 159.7),
}
# recency, frequency and money all in the highest third (the paper: 954 customers, 38 % of the value)
BEST_CELL_AVERAGE, BEST_CELL_SHARE = 435, 0.38
