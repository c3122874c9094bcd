"""Looking up many numbers among many."""

import numpy as np
import pytest

from crm.common.arrays import places


@pytest.mark.parametrize("among", [[], [5], [2, 3, 5, 8]])
def test_each_number_is_found_where_it_is_and_not_where_another_is(among):
    wanted = np.array([1, 2, 5, 9, 5], dtype=np.int64)

    at, there = places(np.array(among, dtype=np.int64), wanted)

    assert there.tolist() == [one in among for one in wanted]
    assert [among[place] for place in at[there]] == wanted[there].tolist()
