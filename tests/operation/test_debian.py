"""The Debian package in a Debian: installed, run by systemd within the unit's limits, upgraded, removed."""

import json
from pathlib import Path

import pytest

from real.servers.patience import eventually

from .machine import Machine

pytestmark = [pytest.mark.real_more, pytest.mark.slow]

CONFIGURATION = "/etc/ringback/ringback.toml"
POLICY = "127.0.0.1:10040"
RELOAD_S = 30.0
# The lab is the outside: it has the ports of the world, in a network of the machine's own.
SETTINGS = """
[identity]
helo_name = "verify.lab.example"
contact = "postmaster@ours.example"
require_fit = false
[dns]
nameservers = ["127.0.0.1"]
canary = ""
[smtp]
allowed_networks = ["127.0.0.0/8"]
[etiquette]
call_when = "always"
[policy]
mode = "enforce"
own_domains = ["ours.example"]
"""


@pytest.fixture(scope="module", autouse=True)
def lab(machine: Machine) -> None:
    machine.run("systemd-run", "--unit=lab", "ringback", "lab", "--port", "25", "--dns-port", "53")
    machine.put(Path(__file__).with_name("client.py"), "/root/client.py")


def ask(machine: Machine, address: str, *command: str) -> str:
    """Ask for a sender that the lab's shop does not know; again after `command`."""
    sender = "invented@shop.example"
    return machine.run("python3", "/root/client.py", address, sender, *command).split("\n")[-2]


def journal(machine: Machine) -> str:
    return machine.run("journalctl", "--unit", "ringback", "--output", "cat", "--no-pager")


def show(machine: Machine, name: str) -> str:
    return machine.run("systemctl", "show", "--value", "--property", name, "ringback").strip()


# In the order of an installation's life: each test goes on where the one before it ended.


def test_it_is_installed_and_nothing_runs(machine: Machine) -> None:
    states = [show(machine, name) for name in ("LoadState", "ActiveState", "UnitFileState")]
    refused = machine.run("ringback", "config", "check", fails=True)

    assert ["loaded", "inactive", "disabled"] == states
    assert "ringback 0" in machine.run("ringback", "--version")
    assert refused.startswith(f"ringback: {CONFIGURATION}: identity.contact: it is missing")
    assert "root:root 644" in machine.run("stat", "--format", "%U:%G %a", CONFIGURATION)


def test_the_demo_needs_nothing_but_the_package(machine: Machine) -> None:
    assert "connections to mail exchangers" in machine.run("ringback", "demo")


def test_the_units_are_sound_and_tight(machine: Machine) -> None:
    sockets = [f"ringback-{door}.socket" for door in ("policy", "milter", "socketmap", "http")]
    units = ["ringback.service", *sockets]

    assert "" == machine.run("systemd-analyze", "verify", "--man=no", *units)
    machine.run("systemd-analyze", "security", "--offline=yes", "--threshold=20", units[0])


def test_the_manual_pages_are_clean(machine: Machine) -> None:
    for page in ("man1/ringback.1.gz", "man5/ringback.toml.5.gz"):
        place = f"/usr/share/man/{page}"

        assert "" == machine.run("sh", "-c", f"zcat {place} | mandoc -T lint -W warning")
        assert "RINGBACK" in machine.run("sh", "-c", f"zcat {place} | mandoc -T utf8")


def test_shells_complete_commands_and_options(machine: Machine) -> None:
    script = (
        ". /usr/share/bash-completion/completions/ringback; COMP_WORDS=(ringback %s); COMP_CWORD=%s; "
        '_ringback_completion ringback; echo "${COMPREPLY[@]}"'
    )
    bash = [
        machine.run("bash", "-c", script % words).split()
        for words in (("c", 1), ("config ''", 2), ("check --ex", 2))
    ]
    fish = machine.run("fish", "-c", 'complete -C "ringback con"')
    zsh = machine.run("zsh", "-n", "/usr/share/zsh/vendor-completions/_ringback")

    assert [["check", "cache", "classify", "config"], ["check", "show"], ["--explain"]] == bash
    assert "config\tSee the effective settings" == fish.strip()
    assert "" == zsh


def test_it_serves_within_its_limits(machine: Machine) -> None:
    machine.write(CONFIGURATION, SETTINGS)
    machine.run("ringback", "config", "check")
    machine.run("systemctl", "enable", "--now", "ringback")
    answer = ask(machine, POLICY)
    status = machine.run("cat", f"/proc/{show(machine, 'MainPID')}/status").splitlines()
    limits = {line.split(":")[0]: line.split(":")[1].split() for line in status}
    user = machine.run("id", "--user", "ringback").strip()

    assert "550" == answer
    assert [user] * 4 == limits["Uid"]
    assert ["0" * 16] == limits["CapEff"] == limits["CapBnd"]
    assert (["1"], ["2"]) == (limits["NoNewPrivs"], limits["Seccomp"])


def test_its_user_may_look_into_the_store_meanwhile(machine: Machine) -> None:
    command = ("setpriv", "--reuid=ringback", "--regid=ringback", "--clear-groups", "ringback")
    shown = machine.run(*command, "cache", "show", "--json", "invented@shop.example")
    names = machine.run("ls", "/var/lib/ringback").split()

    assert "undeliverable" in json.dumps(json.loads(shown))
    assert {"ringback.db", "ringback.db-shm", "ringback.db-wal"} < set(names)


def test_a_reload_keeps_connections(machine: Machine) -> None:
    machine.write(CONFIGURATION, SETTINGS.replace('"enforce"', '"observe"'))

    assert "550 DUNNO" == ask(machine, POLICY, "systemctl", "reload", "ringback")


def test_a_mistake_in_a_reload_changes_nothing(machine: Machine) -> None:
    machine.write(CONFIGURATION, SETTINGS.replace("mode", "mood"))
    machine.run("systemctl", "reload", "ringback")
    told = eventually(lambda: journal(machine), lambda lines: "unknown key" in lines, RELOAD_S)

    assert "unknown key" in told
    assert "DUNNO" == ask(machine, POLICY)
    machine.write(CONFIGURATION, SETTINGS)


def test_it_drains_when_it_is_stopped(machine: Machine) -> None:
    machine.run("systemctl", "stop", "ringback")

    assert "success" == show(machine, "Result")
    assert "what=draining" in journal(machine)
    assert ["ringback.db"] == machine.run("ls", "/var/lib/ringback").split()


def test_systemd_listens_while_it_is_away(machine: Machine) -> None:
    machine.run("systemctl", "enable", "--now", "ringback-policy.socket")
    # Nobody serves: the first connection starts the service, and waits for it.
    started = ask(machine, POLICY)
    restarted = ask(machine, POLICY), ask(machine, POLICY)
    machine.run("systemctl", "restart", "ringback")
    again = ask(machine, POLICY)

    assert ("550", ("550", "550"), "550") == (started, restarted, again)
    assert "no door is configured" not in journal(machine)


def test_a_unix_socket_of_systemd_stays_when_the_service_stops(machine: Machine) -> None:
    path = "/run/ringback/policy"
    drop_in = f"[Socket]\nListenStream=\nListenStream={path}\nSocketMode=0666\n"
    machine.run("systemctl", "stop", "ringback-policy.socket", "ringback")
    machine.run("mkdir", "-p", "/etc/systemd/system/ringback-policy.socket.d")
    machine.write("/etc/systemd/system/ringback-policy.socket.d/path.conf", drop_in)
    machine.write(
        CONFIGURATION, SETTINGS.replace("[policy]", f'[policy]\nlisten = ["unix:{path}"]')
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "ringback-policy.socket")
    first = ask(machine, f"unix:{path}")
    machine.run("systemctl", "stop", "ringback")
    machine.run("test", "-S", path)

    assert ("550", "550") == (first, ask(machine, f"unix:{path}"))


def test_a_socket_that_no_door_wants_is_an_error_line(machine: Machine) -> None:
    machine.run("systemctl", "stop", "ringback")
    sockets = ("ringback-milter.socket", "ringback-socketmap.socket", "ringback-http.socket")
    machine.run("systemctl", "start", *sockets, "ringback")
    told = journal(machine)

    assert "127.0.0.1:10042 (milter), where no door is configured" in told
    assert "127.0.0.1:10041 (socketmap), where no door is configured" in told
    assert "(http), where no door" not in told
    machine.run("systemctl", "stop", *sockets)


def test_a_process_that_hangs_is_started_again(machine: Machine) -> None:
    machine.run("mkdir", "-p", "/etc/systemd/system/ringback.service.d")
    machine.write(
        "/etc/systemd/system/ringback.service.d/soon.conf",
        "[Service]\nWatchdogSec=3\nRestartSec=0\nTimeoutAbortSec=1\n",
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "ringback")
    hung = show(machine, "MainPID")
    machine.run("kill", "-STOP", hung)
    # The answer comes from the next process: the socket is systemd's.
    answer = ask(machine, "unix:/run/ringback/policy")

    assert "550" == answer
    assert hung != show(machine, "MainPID")
    assert "Watchdog timeout" in journal(machine)
    # Where the machine is busy, a start takes longer than that.
    machine.run("rm", "/etc/systemd/system/ringback.service.d/soon.conf")
    machine.run("systemctl", "daemon-reload")


def test_an_upgrade_restarts_it_and_keeps_the_configuration(machine: Machine) -> None:
    before = show(machine, "MainPID")
    machine.run("dpkg", "--force-depends", "--install", "/root/ringback.deb")

    assert "active" == show(machine, "ActiveState")
    assert before != show(machine, "MainPID")
    assert "verify.lab.example" in machine.run("cat", CONFIGURATION)


def test_what_is_removed_stops_and_what_is_purged_forgets(machine: Machine) -> None:
    machine.run("dpkg", "--remove", "ringback")
    kept = machine.run("ls", "/var/lib/ringback", CONFIGURATION)
    states = machine.run("systemctl", "is-active", "ringback", "ringback-policy.socket", fails=True)
    machine.run("dpkg", "--purge", "ringback")

    assert "ringback.db" in kept
    assert ["inactive", "inactive"] == states.split()
    machine.run("ls", "/var/lib/ringback", fails=True)
    machine.run("ls", "/etc/ringback", fails=True)
    machine.run("ls", "/usr/lib/ringback", fails=True)
