"""Weeks of remission of 42 children with leukaemia, 21 on 6-mercaptopurine and 21 on placebo.

Freireich et al. (1963), Blood 21, 699-716. Curves and Greenwood's errors as in Cox & Oakes (1984),
Analysis of Survival Data; intervals (log-log), medians and means as the R package survival prints.
"""

# an ended remission is an event, one that still lasted is censored
TREATED = (6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35)
RELAPSED = (1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)
PLACEBO = (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)  # all relapsed

TREATED_CURVE = (
    # week, at risk, relapsed, S, standard error, low and high at 95 %
    (6, 21, 3, 0.857, 0.0764, 0.620, 0.952),
    (7, 17, 1, 0.807, 0.0869, 0.563, 0.923),
    (10, 15, 1, 0.753, 0.0963, 0.503, 0.889),
    (13, 12, 1, 0.690, 0.1068, 0.432, 0.849),
    (16, 11, 1, 0.627, 0.1141, 0.368, 0.805),
    (22, 7, 1, 0.538, 0.1282, 0.268, 0.747),
    (23, 6, 1, 0.448, 0.1346, 0.188, 0.680),
)
# median with its interval; mean restricted to week 35 with its standard error
TREATED_MEDIAN = (23.0, 13.0, float("inf"))
TREATED_MEAN = (23.29, 2.83)
PLACEBO_MEDIAN = (8.0, 4.0, 11.0)
PLACEBO_MEAN = (8.667, 1.377)
# lasted beyond week 10, and the standard error
PLACEBO_BEYOND_10 = (0.381, 0.106)
