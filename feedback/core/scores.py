"""The three groups of a 0-10 score. Pure.

Source: Reichheld (2003), "The One Number You Need to Grow", Harvard Business Review 81(12).
"""

PROMOTER_FROM = 9
PASSIVE_FROM = 7


def group(score: int) -> str:
    """promoter (9-10), passive (7-8) or detractor (0-6)."""
    if score >= PROMOTER_FROM:
        return "promoter"
    return "passive" if score >= PASSIVE_FROM else "detractor"
