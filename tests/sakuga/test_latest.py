from sakuga.latest import Latest


def test_the_values_that_were_set_last_are_kept_and_no_more_of_them() -> None:
    latest: Latest[int] = Latest(2)
    latest["a"], latest["b"] = 1, 2
    latest["a"] = 3
    latest["c"] = 4
    assert dict(latest) == {"a": 3, "c": 4}
