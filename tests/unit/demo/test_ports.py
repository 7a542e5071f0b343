"""A free port, and what else may take it before it is used."""

import socket

from bot.demo import ports
from bot.demo.ports import free_port


def test_a_port_is_free_and_no_port_that_the_kernel_deals_out():
    dealt_from = int(ports.RANGE.read_text().split()[0]) if ports.RANGE.exists() else ports.DEALT_FROM

    found = [free_port() for _ in range(50)]

    assert len(set(found)) == 50
    assert all(ports.FIRST <= port < dealt_from for port in found)
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_at_which_somebody_listens_is_passed_over(monkeypatch):
    taken, free = free_port(), free_port()
    monkeypatch.setattr(ports, "_given", set())
    draws = iter((taken, free))
    monkeypatch.setattr(ports.random, "randrange", lambda *_: next(draws))

    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() == free


def test_where_the_kernel_does_not_say_its_ports_linuxs_default_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(ports, "RANGE", tmp_path / "nothing")

    assert ports.FIRST <= free_port() < ports.DEALT_FROM


def test_two_processes_seldom_draw_the_same_port(monkeypatch):
    first = [free_port() for _ in range(20)]
    monkeypatch.setattr(ports, "_given", set())

    assert first != [free_port() for _ in range(20)]
