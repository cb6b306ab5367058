import json

import pytest

import worker
from budget import Budget, Client, Server


def test_budget_gives_turns_at_its_rate_and_none_in_a_pause():
    now = [100.0]
    b = Budget(2, clock=lambda: now[0])
    assert [b.turn() for _ in range(3)] == [0, 0.5, 1.0]
    b.pause(10)
    assert b.turn() == 10
    now[0] += 20
    assert b.turn() == 0
    assert (b.turns, b.pauses) == (5, 1)


def test_budget_is_shared_by_clients_who_know_its_key():
    server = Server(Budget(1000), "127.0.0.1")
    a, b = Client(server.address), Client(server.address)
    a.wait()
    b.wait()
    b.pause(0.01)
    assert (server.budget.turns, server.budget.pauses) == (2, 1)
    host, port, _ = server.address
    with pytest.raises(json.JSONDecodeError):
        Client((host, port, "another key")).wait()
    assert server.budget.turns == 2
    server.shutdown()


@pytest.mark.parametrize(
    "error, passes",
    [
        ("m.safetensors: the server answers 429 Too Many Requests, 5 times", True),
        ("m.safetensors: the server answers 503 Service Unavailable", True),
        ("m.safetensors: the server answers 404 Not Found", False),
        ("m.safetensors: offset 500: the header ends too early", False),
        ("the program died, code -9", True),
    ],
)
def test_faults_that_pass(error, passes):
    assert worker.passing(error) == passes


def test_waits_that_servers_ask_for():
    assert worker.asked_wait("the server answers 429 Too Many Requests and asks to wait 10m30s") == 630
    assert worker.asked_wait("the server answers 429 Too Many Requests") is None


OPTIONS = {"bytes": "64MiB", "attempts": 3, "backoff": 0.001, "limit": 8}


def test_poison_does_not_take_others_with_it(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    refs = ["ok:a", "die:b", "ok:c", "hang:d", "gone:e", "ok:f"]
    rows = [(r, "main", r, 10, None) for r in refs]
    got = list(worker.run(rows, OPTIONS, fake))
    assert [r[0] for r in got] == refs
    errors = {r[0]: r[8] for r in got}
    assert [r for r in refs if errors[r] is None] == ["ok:a", "ok:c", "ok:f"]
    assert errors["die:b"] == "the program died, code 7"
    assert "did not end" in errors["hang:d"]
    assert {r[0]: r[9] for r in got} == {"ok:a": 1, "die:b": 3, "ok:c": 1, "hang:d": 3, "gone:e": 1, "ok:f": 1}


def test_a_busy_server_holds_all_and_is_asked_again(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    server = Server(Budget(1000), "127.0.0.1")
    got = list(worker.run([("busy:a", "main", "busy:a", 10, None)], {**OPTIONS, "budget": server.address}, fake))
    assert got[0][8] is None and got[0][9] == 3
    assert server.budget.pauses == 2 and server.budget.turns == 3
    server.shutdown()
