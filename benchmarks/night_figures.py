"""What the night's bench measured, as figures with their goals."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks.figures import Figure

LARGE = 1_000_000  # the goals in themselves are those of a million customers
STEADY_FLOORS, FIRST_FLOORS, STEADY_SECONDS, PEAK_MB = 1.5, 3.0, 15.0, 600.0
READERS_SLOWER = 2.0

Found = dict[str, Any]


def of(found: Found) -> Iterator[Figure]:
    """All figures of one size."""
    yield from _floor(found)
    yield from _first(found)
    yield from _steady(found)
    if "one_worker" in found:
        yield from _one_worker(found)
    if "readers" in found:
        yield from _readers(found)
    if "lifetimes" in found:
        yield from _lifetimes(found)


def growth(sizes: list[Found]) -> Iterator[Figure]:
    """How much longer a night takes than at the size before, beside how much larger that is."""
    for small, large in pairwise(sizes):
        name = f"{small['customers']:,} to {large['customers']:,}"
        larger = large["customers"] / small["customers"]
        pairs = [("first", small["first"]["published"], large["first"]["published"])]
        if small["steady"] and large["steady"]:
            pairs.append(("steady", _typical(small), _typical(large)))
        for which, before, after in pairs:
            yield Figure("night", f"{name}: {which} night", after / before, "times", "size", larger, 1.0)


def _figure(found: Found, work: str, figure: float, unit: str, *beside: Any) -> Figure:
    return Figure("night", f"{found['customers']:,}: {work}", figure, unit, *beside)


def _floor(found: Found) -> Iterator[Figure]:
    load, floor = found["load"], found["floor"]
    yield _figure(found, f"load of {load['purchases']:,} purchases", load["loaded"], "s")
    yield _figure(found, "floor: purchases out", floor["out"], "s")
    yield _figure(found, f"floor: results in, {floor['columns']} columns", floor["in"], "s")


def _seconds(found: Found) -> float:
    return float(found["floor"]["out"] + found["floor"]["in"])


def _first(found: Found) -> Iterator[Figure]:
    first = found["first"]
    for stage in first["stages"]:
        yield _figure(found, f"first night: {stage['name']}", stage["seconds"], "s")
    total = first["published"]
    yield _figure(found, "first night: ring to published", total, "s", "floor", _seconds(found), FIRST_FLOORS)
    yield from _in_itself(found, "first night", [first])


def _steady(found: Found) -> Iterator[Figure]:
    nights = found["steady"]
    if not nights:
        return
    for place, stage in enumerate(nights[0]["stages"]):
        typical = median(one["stages"][place]["seconds"] for one in nights)
        yield _figure(found, f"steady night: {stage['name']}, median", typical, "s")
    for one in nights:
        name = f"steady night of {one['as_of']}: ring to published"
        yield _figure(found, name, one["published"], "s", "floor", _seconds(found), STEADY_FLOORS)
    slowest = max(one["published"] for one in nights)
    goal = 1.0 if found["customers"] == LARGE else None
    limit = STEADY_SECONDS * found["customers"] / LARGE
    yield _figure(found, "steady night, the slowest", slowest, "s", "limit", limit, goal)
    yield from _in_itself(found, "steady nights", nights)


def _typical(found: Found) -> float:
    return float(median(one["published"] for one in found["steady"]))


def _in_itself(found: Found, name: str, nights: list[Found]) -> Iterator[Figure]:
    peak = max(mb for one in nights for mb in one["peak_mb"].values())
    goal = 1.0 if found["customers"] <= LARGE else None
    yield _figure(found, f"{name}: memory of a worker, peak", peak, "MB", "limit", PEAK_MB, goal)
    floor = found["floor"]["cpu"]
    yield _figure(found, f"{name}: CPU", max(one["cpu"] for one in nights), "CPU s", "floor", floor)
    yield _figure(found, f"{name}: WAL", max(one["wal_mb"] for one in nights), "MB")


def _one_worker(found: Found) -> Iterator[Figure]:
    """The limit shows in the stages: those that do not gain are done by one worker."""
    one, all_of_them, count = found["one_worker"], found["first"], found["workers"]
    beside = f"{count} workers"
    theirs = {stage["name"]: stage["seconds"] for stage in all_of_them["stages"]}
    for stage in one["stages"]:
        name = f"first night, one worker: {stage['name']}"
        yield _figure(found, name, stage["seconds"], "s", beside, theirs.get(stage["name"]))
    total = one["published"]
    yield _figure(
        found, "first night, one worker: ring to published", total, "s", beside, all_of_them["published"]
    )


def _readers(found: Found) -> Iterator[Figure]:
    met = found["readers"]
    idle, busy, whole = met["idle"], met["busy"], met["answers"] - met["mixed"]
    during = f"during {met['publishes']} nights"
    yield _figure(
        found,
        f"answers whole and of one run, {during}",
        whole,
        "answers",
        "all",
        met["answers"],
        1.0,
        True,
    )
    yield _figure(
        found, f"pages on both sides of a publish, {during}", met["across"], "pages", "all", met["pages"]
    )
    for name in sorted(idle.keys() & busy.keys(), key=lambda name: name.split()[::-1]):
        typical, usual = busy[name]["p50"], idle[name]["p50"]
        yield _figure(found, f"{name} p50, {during}", typical, "ms", "idle", usual)
        slow, quiet = busy[name]["p99"], idle[name]["p99"]
        yield _figure(found, f"{name} p99, {during}", slow, "ms", "idle", quiet, READERS_SLOWER)


def _lifetimes(found: Found) -> Iterator[Figure]:
    peer = found["lifetimes"]
    for step, seconds in peer["steps"].items():
        yield _figure(found, f"lifetimes: {step}", seconds, "s")
    stopped = peer["stopped"]
    beside = "lifetimes, stopped: more than" if stopped else "lifetimes"
    total = stopped or sum(peer["steps"].values())
    yield _figure(found, "first night", found["first"]["published"], "s", beside, total)
    if found["steady"]:
        yield _figure(found, "steady night, median", _typical(found), "s", beside, total)
