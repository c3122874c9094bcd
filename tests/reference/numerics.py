"""Anchors for numerical stability.

pymc-marketing's tests and Hardie's note 027: log-likelihoods of single customers at r .25, alpha 4,
a .8, b 2.5, where a direct evaluation of the gamma functions overflows.
"""

PARAMETERS = (0.25, 4.0, 0.8, 2.5)
# x, t_x, T, BG/NBD, MBG/NBD
LOG_LIKELIHOODS = (
    (0, 0, 40, -0.59947382, -0.41792826),
    (200, 38, 40, 100.7957, 100.7869),
)
