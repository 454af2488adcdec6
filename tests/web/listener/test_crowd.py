from web.listener.crowd import MOST, Ceilings, Crowd


def _crowd(total: int = 100, per_address: int = 2) -> Crowd:
    return Crowd(Ceilings(total=total, per_address=per_address), lambda address: address == "10.0.0.1")


def test_per_address() -> None:
    """An address has its ceiling; leaving makes room; a trusted proxy has none."""
    crowd = _crowd()
    keys = [crowd.enter("1.1.1.1") for _ in range(3)]
    assert keys == ["1.1.1.1", "1.1.1.1", None]
    crowd.leave("1.1.1.1")
    assert crowd.enter("1.1.1.1")
    assert all(crowd.enter("10.0.0.1") for _ in range(5))
    assert crowd.total == 7


def test_ipv6_network_is_one_address() -> None:
    """An IPv6 /64 counts as one; an IPv4 address is the same in IPv6 clothes."""
    crowd = _crowd()
    assert crowd.enter("2001:db8::1")
    assert crowd.enter("2001:db8::2")
    assert crowd.enter("2001:db8::3") is None
    assert crowd.enter("2001:db8:0:1::1")
    assert crowd.enter("::ffff:1.1.1.1") == crowd.enter("1.1.1.1")


def test_full() -> None:
    """Full when the total is reached."""
    crowd = _crowd(total=1)
    assert not crowd.full
    assert crowd.enter("1.1.1.1")
    assert crowd.full


def test_who_had_to_give_way_waits_while_it_is_full() -> None:
    """For so long, and only while no more fit; a trusted proxy never does."""
    crowd = _crowd(total=2, per_address=9)
    key = crowd.enter("1.1.1.1")
    assert key
    for waits in (key, "10.0.0.1"):
        crowd.let_wait(waits, 30.0)
    assert not crowd.refuses("1.1.1.1", 10.0)
    assert crowd.enter("2.2.2.2")
    assert crowd.refuses("1.1.1.1", 10.0)
    assert not crowd.refuses("1.1.1.1", 30.0)
    assert not crowd.refuses("3.3.3.3", 10.0)
    assert not crowd.refuses("10.0.0.1", 10.0)


def test_few_are_remembered() -> None:
    """Strangers from very many addresses do not fill the memory."""
    crowd = _crowd(total=0)
    for number in range(MOST + 9):
        crowd.let_wait(str(number), 30.0)
    assert len(crowd._waits) == MOST
    assert not crowd.refuses("8", 1.0)
    assert crowd.refuses("9", 1.0)
