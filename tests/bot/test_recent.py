from bot.recent import Recent


def test_a_key_counts_once_until_its_time_is_over() -> None:
    now = [100.0]
    recent = Recent(30, clock=lambda: now[0])
    assert recent.add("a")
    now[0] = 129.9
    assert not recent.add("a")
    now[0] = 130.0
    assert recent.add("a")


def test_memory_is_bounded_and_the_oldest_is_forgotten_first() -> None:
    recent = Recent(30, most=2)
    for key in "abcd":
        assert recent.add(key)
    assert not recent.add("d")
    assert recent.add("a")


def test_a_key_may_be_remembered_for_longer_and_be_forgotten_before_its_time() -> None:
    now = [100.0]
    recent = Recent(30, clock=lambda: now[0])
    assert recent.add("a", within_s=90)
    assert recent.add("b")
    now[0] = 150.0
    assert not recent.add("a")
    assert recent.add("b")
    recent.forget("a")
    recent.forget("unknown")
    assert recent.add("a")
