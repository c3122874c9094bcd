import numpy as np

from ltv.core.newton import Ridge, maximise

NO_RIDGE = Ridge(0.0, np.zeros(1))


class Hill:
    """-1e6 - 1e5 (p - ln p), as exact as a sum of many terms is; its top is at p = 1."""

    def __init__(self):
        self.asked = 0

    def __call__(self, parameters):
        self.asked += 1
        (p,) = parameters
        value = round(-1e6 - 1e5 * (p - np.log(p)), 7)
        return value, np.array([-1e5 * (1 - 1 / p)]), np.array([[-1e5 / p**2]])


def test_the_top_is_reached_without_trying_steps_too_short_to_be_seen():
    for start in np.linspace(0.3, 5.0, 50):
        hill = Hill()

        found = maximise(hill, np.array([start]), NO_RIDGE)

        assert found.converged
        assert abs(found.parameters[0] - 1.0) < 1e-7
        assert hill.asked <= 12


def test_a_climb_that_never_arrives_says_so():
    def steep(parameters):
        """Rises for ever, but claims to be so curved that each step is short."""
        (p,) = parameters
        return p, np.array([1.0]), np.array([[-1e6]])

    found = maximise(steep, np.array([1.0]), NO_RIDGE)

    assert not found.converged
    assert found.iterations == 100
    assert found.value == found.parameters[0] > 1.0
