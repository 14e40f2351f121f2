"""The sliding window never admits more than the service does, and never starves."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcpicture.core.quota import CLOUD, SELF_HOSTED, Quota, Window
from bcpicture.errors import ConfigurationError


def used(window: Window, times: int, at: float = 0.0) -> Window:
    for _ in range(times):
        window.take(at)
        window.give_back(at)
    return window


@attrs.define
class Service:
    """Counts as Business Central does: the requests of the last *seconds*."""

    limit: int
    seconds: float
    admitted: list[float] = attrs.field(factory=list)

    def admits(self, now: float) -> bool:
        recent = [moment for moment in self.admitted if moment + self.seconds > now]
        self.admitted = recent
        if len(recent) >= self.limit:
            return False
        recent.append(now)
        return True


def busiest(moments: list[float], seconds: float) -> int:
    """Most moments in any stretch of *seconds*, its beginning excluded.

    Sums are compared, not differences: rounding keeps their order, whatever is added.
    """
    return max(
        (
            sum(1 for other in moments if other <= last < other + seconds)
            for last in moments
        ),
        default=0,
    )


def test_the_online_service_is_known_by_its_documented_numbers():
    assert Quota(concurrent=5, requests=6000, seconds=300.0) == CLOUD
    assert Quota(concurrent=5, requests=None) == SELF_HOSTED


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"concurrent": 0}, id="nobody at once"),
        pytest.param({"concurrent": -1}, id="fewer than nobody"),
        pytest.param({"requests": 0}, id="no request"),
        pytest.param({"requests": -1}, id="fewer than none"),
        pytest.param({"seconds": 0.0}, id="no time"),
        pytest.param({"seconds": -1.0}, id="time runs back"),
    ],
)
def test_a_quota_that_admits_nothing_is_refused(numbers: dict[str, float]):
    with pytest.raises(ConfigurationError) as caught:
        Quota(**numbers)
    assert str(caught.value).startswith("Nothing could ever be sent with Quota(")
    assert str(caught.value).endswith("Every number of a quota must be positive.")


def test_there_is_room_until_the_window_is_full():
    window = Window(2, 10.0)
    assert window.take(0.0)
    assert window.take(0.0)
    assert not window.take(0.0)
    window.give_back(0.0)
    assert not window.take(9.9)
    assert window.take(10.0)


def test_only_a_reply_can_free_a_place_that_is_still_under_way():
    window = Window(1, 10.0)
    window.take(0.0)
    assert window.wait(1e9) == float("inf")


def test_a_place_is_free_one_window_after_the_reply_not_after_the_sending():
    window = Window(1, 10.0)
    window.take(0.0)
    window.give_back(4.0)
    assert window.wait(4.0) == 10.0
    assert window.wait(13.0) == 1.0
    assert window.wait(14.0) == 0.0


def test_who_waits_waits_for_the_oldest_place():
    window = Window(2, 10.0)
    used(window, 1, at=0.0)
    used(window, 1, at=3.0)
    assert window.wait(5.0) == 5.0


def test_a_request_that_the_service_never_saw_costs_no_place():
    window = Window(1, 10.0)
    window.take(0.0)
    window.give_back(0.0, counted=False)
    assert window.wait(0.0) == 0.0
    assert window.limit == 1


@pytest.mark.parametrize(
    ("taken", "kept", "waits"),
    [
        pytest.param(6, 3, False, id="room beside the reserve"),
        pytest.param(7, 3, True, id="the reserve begins"),
        pytest.param(9, 0, False, id="no reserve"),
        pytest.param(10, 0, True, id="full"),
    ],
)
def test_bulk_work_leaves_a_reserve_to_others(taken: int, kept: int, *, waits: bool):
    window = used(Window(10, 60.0), taken)
    assert (window.wait(0.0, kept) > 0) is waits
    assert window.take(0.0, kept) is not waits


def test_after_a_refusal_the_limit_is_what_was_really_admitted():
    window = used(Window(100, 10.0), 81)
    window.refused(0.0)  # the last of the 81 is the one that was refused
    assert window.limit == 80


def test_one_refusal_never_takes_more_than_half():
    """Who has only begun knows little of what somebody else admitted before."""
    window = used(Window(100, 10.0), 1)
    window.refused(0.0)
    assert window.limit == 50


def test_what_has_left_the_window_says_nothing_about_the_limit():
    window = used(Window(100, 10.0), 30, at=0.0)
    used(window, 71, at=9.0)
    window.refused(11.0)
    assert window.limit == 70


def test_no_number_of_refusals_takes_the_last_place():
    window = Window(100, 10.0)
    for _ in range(5):
        window.refused(0.0)
    assert window.limit >= 1
    assert window.wait(0.0) == 0.0


def test_a_refusal_never_raises_the_limit():
    window = used(Window(100, 10.0), 20)
    window.refused(0.0)
    used(window, 50)  # as if nobody had asked whether there is room
    before = window.limit
    window.refused(0.0)
    assert window.limit <= before


def test_the_limit_grows_a_little_at_first_and_faster_with_every_quiet_window():
    window = used(Window(100_000, 10.0), 50_001)
    window.refused(0.0)
    gains = []
    for number in range(1, 5):
        before = window.limit
        used(window, 1000, at=number * 10.0)
        gains.append(window.limit - before)
    assert gains == pytest.approx([20.0, 40.0, 80.0, 160.0])


def test_the_limit_grows_up_to_the_full_quota_and_no_further():
    window = used(Window(3, 10.0), 3)
    window.refused(0.0)
    used(window, 1000, at=20.0)
    assert window.limit == 3


def test_a_reserve_never_locks_bulk_work_out():
    """Only a reply could free a place, says `inf`; none is under way."""
    window = used(Window(6000, 300.0), 1)
    for _ in range(20):
        window.refused(0.0)
    assert window.wait(1000.0, keep=1800) == 0.0
    assert window.take(1000.0, keep=1800)


def test_a_refusal_by_somebody_elses_doing_is_forgotten_after_a_few_windows():
    """A program that starts while another one has just used up the user's window."""
    window, service = Window(600, 30.0), Service(600, 30.0)
    for _ in range(600):
        service.admits(0.0)
    now, sent = 1.0, 0
    while now < 10 * 30.0:
        if not window.take(now):
            now += window.wait(now)
            continue
        window.give_back(now)
        sent += service.admits(now) or window.refused(now) or 0
        now += 0.05
    assert sent >= 600


requests = st.lists(
    st.tuples(
        st.floats(0.0, 3.0),  # how long after the one before
        st.floats(0.0, 1.0),  # how much of its time it travels until it counts
        st.floats(0.0, 4.0),  # how long until its reply
    ),
    max_size=60,
)


@settings(deadline=None)
@given(requests, st.integers(1, 6), st.sampled_from([1.0, 5.0]))
@example([(0.0, 1.0, 5e-324), (1.0, 0.0, 0.0)], 1, 1.0)  # a sum that is rounded
def test_however_late_requests_arrive_no_window_holds_more_than_the_quota(
    asked: list[tuple[float, float, float]], limit: int, seconds: float
):
    window = Window(limit, seconds)
    now, arrivals = 0.0, []
    under_way: list[float] = []
    for gap, share, duration in asked:
        now += gap
        while True:
            for reply in sorted(it for it in under_way if it <= now):
                window.give_back(reply)
                under_way.remove(reply)
            if window.take(now):
                break
            # As the governor does: the alarm rings a moment later than the place.
            now = min([now + window.wait(now) + 1e-3, *under_way])
        arrivals.append(now + share * duration)
        under_way.append(now + duration)
    assert busiest(arrivals, seconds) <= limit


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["send", "lose", "hold", "refuse", "pass"]), max_size=80),
    st.integers(1, 50),
    st.integers(0, 60),
)
def test_whatever_happens_the_limit_holds_and_there_is_a_way_on(
    events: list[str], limit: int, keep: int
):
    """To wait for nothing is to be let in, and only an open request waits for ever."""
    window, now, under_way = Window(limit, 10.0), 0.0, 0
    for event in events:
        wait = window.wait(now, keep)
        if event == "refuse":
            window.refused(now)
        elif event == "pass":
            now += 3.0
        else:
            taken = window.take(now, keep)
            assert taken is (wait == 0)
            under_way += taken
            if taken and event != "hold":
                window.give_back(now, counted=event == "send")
                under_way -= 1
        assert 1 <= window.limit <= limit
        assert under_way or window.wait(now, keep) <= 10.0
