"""Intervals of shares and scores. Pure."""

from math import sqrt

Z95 = 1.959963984540054


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a share; (0, 1) when nothing was observed.

    Source: Wilson (1927), JASA 22(158) 209-212.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def net_promoter(promoters: int, detractors: int, answers: int, z: float = Z95) -> tuple[float, float, float]:
    """Net promoter score and its interval, in points from -100 to 100.

    The variance of a single answer coded +1/0/-1 is p + d - (p - d)^2. With no answers: (0, -100, 100).
    """
    if answers == 0:
        return 0.0, -100.0, 100.0
    p, d = promoters / answers, detractors / answers
    spread = z * sqrt((p + d - (p - d) ** 2) / answers)
    score = p - d
    return 100 * score, 100 * max(-1.0, score - spread), 100 * min(1.0, score + spread)
