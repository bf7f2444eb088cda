"""Settings from files and the environment: precedence, sources, and a line for every mistake."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.doors.configuration import (
    KEYS,
    LATER,
    MAX_FILE_BYTES,
    examine_settings,
    load_settings,
    value_of,
    variable_of,
)
from ringback.doors.toml import encode
from ringback.errors import ConfigError, SettingError
from ringback.values.settings import Ages, CallWhen, RecipientRoute, Settings
from ringback.values.text import printable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ringback.toml"


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    return str(tmp_path / "absent" / "ringback.toml")


def mistake_in(path: Path | None, **environ: str) -> str:
    """Load what must not load, and return the line without the path."""
    with pytest.raises(ConfigError) as refused:
        load_settings(str(path) if path else None, environ, standard_path="/nonexistent.toml")
    line = str(refused.value)

    assert line.isprintable()
    return line.replace(f"{path}", "FILE")


def test_without_a_file_all_is_default(nowhere: str) -> None:
    loaded = load_settings(None, {"HOME": "/root"}, standard_path=nowhere)

    assert Settings() == loaded.settings
    assert dict.fromkeys(KEYS, "default") == loaded.sources
    assert loaded.file is None


def test_the_environment_overrides_the_file_and_the_file_the_defaults(file: Path) -> None:
    file.write_text("[smtp]\nport = 2525\nmax_hosts = 2\n")

    loaded = load_settings(str(file), {"RINGBACK_SMTP__PORT": "2626"})

    assert (2626, 2, 20.0) == (
        loaded.settings.smtp.port,
        loaded.settings.smtp.max_hosts,
        loaded.settings.smtp.stage_timeout_s,
    )
    assert ["RINGBACK_SMTP__PORT", str(file), "default"] == [
        loaded.sources[key] for key in ("smtp.port", "smtp.max_hosts", "smtp.stage_timeout_s")
    ]


def test_the_file_is_the_one_named_else_the_variables_else_the_standard_one(tmp_path: Path) -> None:
    named, variable, standard = (tmp_path / name for name in ("named", "variable", "standard"))
    for port, path in enumerate((named, variable, standard), start=1):
        path.write_text(f"smtp.port = {port}\n")
    environ = {"RINGBACK_CONFIG": str(variable)}

    loads = [
        load_settings(str(named), environ, standard_path=str(standard)),
        load_settings(None, environ, standard_path=str(standard)),
        load_settings(None, {"RINGBACK_CONFIG": ""}, standard_path=str(standard)),
    ]

    assert [1, 2, 3] == [loaded.settings.smtp.port for loaded in loads]
    assert [str(named), str(variable), str(standard)] == [loaded.file for loaded in loads]


def test_all_defaults_written_out_are_accepted(file: Path) -> None:
    lines = [f"{key} = {encode(value_of(Settings(), key))}" for key in KEYS]
    file.write_text("\n".join(lines))

    loaded = load_settings(str(file), {})

    assert dict.fromkeys(KEYS, str(file)) == loaded.sources
    assert CallWhen.RETRIED is loaded.settings.etiquette.call_when


def test_a_byte_order_mark_is_no_mistake(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[smtp]\nport = 2525\n")

    assert 2525 == load_settings(str(file), {}).settings.smtp.port


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("smtp.port", "2525", 2525),
        ("smtp.control", "false", False),
        ("smtp.method", "vrfy", "vrfy"),
        ("smtp.method", '"vrfy"', "vrfy"),
        ("smtp.stage_timeout_s", "3", 3.0),
        ("identity.contact", "ann@example.net", "ann@example.net"),
        ("identity.helo_name", "true", "true"),
        ("store.url", "memory:", "memory:"),
        ("http.listen", "", ""),
        ("policy.listen", '["127.0.0.1:1"]', ("127.0.0.1:1",)),
        ("policy.listen", "127.0.0.1:1", ("127.0.0.1:1",)),
        ("policy.listen", "[::1]:1", ("[::1]:1",)),
        ("policy.listen", "", ()),
        ("policy.own_domains", "[]", ()),
        ("etiquette.recheck_after_s", "60", (60.0,)),
        ("cache.unknown", "[60, 600]", Ages(60, 600)),
    ],
)
def test_variables_hold_toml_and_forgive_missing_quotes(
    key: str, text: str, value: object, nowhere: str
) -> None:
    loaded = load_settings(None, {variable_of(key): text}, standard_path=nowhere)

    assert value == value_of(loaded.settings, key)
    assert variable_of(key) == loaded.sources[key]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "RINGBACK_SMTP__PORT",
            "many",
            'RINGBACK_SMTP__PORT: smtp.port: "many" is not a whole number; '
            "write a whole number from 1 to 65535",
        ),
        (
            "RINGBACK_SMTP__PORT",
            "25\nmax_hosts = 1",
            'RINGBACK_SMTP__PORT: smtp.port: "25 max_hosts = 1" is not a whole number; '
            "write a whole number from 1 to 65535",
        ),
        (
            "RINGBACK_POLICY__LISTEN",
            "[" * 10_000,
            f'RINGBACK_POLICY__LISTEN: policy.listen: "{"[" * 79}…" is not ADDRESS:PORT; write it as '
            '"ADDRESS:PORT" or "unix:/path", such as "127.0.0.1:10040"',
        ),
        (
            "RINGBACK_SMTP__PROT",
            "25",
            "RINGBACK_SMTP__PROT: unknown environment variable; the nearest known one is "
            "RINGBACK_SMTP__PORT",
        ),
        (
            "RINGBACK_CONF",
            "x",
            "RINGBACK_CONF: unknown environment variable; the nearest known one is RINGBACK_CONFIG",
        ),
    ],
)
def test_mistakes_in_the_environment_name_the_variable(name: str, text: str, line: str) -> None:
    assert line == mistake_in(None, **{name: text})


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[smtp]\nprot = 25", 'FILE: smtp.prot: unknown key; the nearest known key is "smtp.port"'),
        (
            "[smtp]\nlisten = 1",
            'FILE: smtp.listen: unknown key; the nearest known key is "policy.listen"',
        ),
        ("[smpt]\nport = 25", 'FILE: smpt: unknown section; the nearest known one is "smtp"'),
        (
            "max_hosts = 1",
            'FILE: max_hosts: it belongs to a section; the nearest known key is "smtp.max_hosts"',
        ),
        ("smtp = 25", "FILE: smtp: it is not a table; write [smtp]"),
        ("[[smtp]]\nport = 25", "FILE: smtp: it is not a table; write [smtp]"),
        (
            '["sm\\u001btp"]\nport = 25',
            'FILE: sm\\x1btp: unknown section; the nearest known one is "smtp"',
        ),
        (
            "[smtp]\nport = 0",
            "FILE: smtp.port: 0 is out of range; write a whole number from 1 to 65535",
        ),
        (
            '[smtp]\nport = "25"',
            'FILE: smtp.port: "25" is not a whole number; write a whole number from 1 to 65535',
        ),
        (
            "[smtp]\nport = 1979-05-27",
            "FILE: smtp.port: a date or time is not a whole number; "
            "write a whole number from 1 to 65535",
        ),
        (
            "[dns]\ntimeout_s = nan",
            "FILE: dns.timeout_s: nan is out of range; write seconds, from 0.01 to 60",
        ),
        (
            "[identity]\nhelo_name = 'not a name'",
            'FILE: identity.helo_name: "not a name" is not a domain: the domain is not a sequence of '
            'labels; write a host name, such as "verify.example.net"; or "" for the host\'s confirmed '
            "reverse name",
        ),
        (
            "[cache]\nunknown = [10, 5]",
            "FILE: cache.unknown: 10 is more than expire, 5; "
            "write [refresh, expire] in seconds, refresh no more than expire",
        ),
        (
            "[http]\ntokens_file = 'tokens'",
            'FILE: http.tokens_file: "tokens" is not the absolute path of a file; '
            'write the absolute path of a file; or "" for no tokens',
        ),
        (
            "[recipient.route]\ndomain = 'a.example'",
            "FILE: recipient.route: a table is not a list of tables; "
            "write [[recipient.route]] with domain and host under it",
        ),
        (
            "[[recipient.route]]\ndomain = 'a.example'",
            "FILE: recipient.route[1].host: it is missing; "
            'write a host name, an IP address, "mx:DOMAIN" or "unix:/path", such as '
            '"mail.example.org"; or a list of them',
        ),
        (
            "[smtp]\nport = 25\nport = 26",
            "FILE:3: not TOML: Cannot overwrite a value; write KEY = VALUE under [SECTION]",
        ),
        (
            "[smtp]\nport = twenty-five",
            "FILE:2: not TOML: Invalid value; write KEY = VALUE under [SECTION]",
        ),
        (
            "[smtp]\nport = [",
            "FILE:2: not TOML: Invalid value; write KEY = VALUE under [SECTION]",
        ),
        (f"x = {'[' * 10_000}", "FILE: its values are nested too deeply; no key wants that"),
        (b"[smtp]\n# caf\xe9\n", "FILE:2: it is not UTF-8; save it as UTF-8"),
        (
            b"#" * (MAX_FILE_BYTES + 1),
            "FILE: it is larger than 1048576 bytes; name a file of settings",
        ),
    ],
)
def test_mistakes_in_a_file_are_one_line_with_key_and_remedy(
    file: Path, content: str | bytes, line: str
) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    assert line == mistake_in(file)


def test_variables_are_written_in_capitals() -> None:
    line = mistake_in(None, RINGBACK_smtp__port="25")

    assert line.startswith("RINGBACK_smtp__port: unknown environment variable; the nearest known")


def test_a_number_of_thousands_of_digits_is_a_mistake_like_others(file: Path) -> None:
    file.write_text(f"[smtp]\nport = {'9' * 5_000}\n")

    assert mistake_in(file).startswith("FILE: not TOML: Exceeds the limit")


def test_a_file_that_was_named_must_be_there(file: Path, nowhere: str) -> None:
    remedy = "name a readable file with --config or RINGBACK_CONFIG"

    assert f"FILE: cannot be read (No such file or directory); {remedy}" == mistake_in(file)
    assert f"{nowhere}: cannot be read (No such file or directory); {remedy}" == mistake_in(
        None, RINGBACK_CONFIG=nowhere
    )
    assert f"FILE: cannot be read (Is a directory); {remedy}" == mistake_in(file.parent)
    assert mistake_in(Path("a\0b")).startswith("a\\x00b: cannot be read (embedded null byte)")


def test_a_standard_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(None, {}, standard_path=str(tmp_path))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            "[identity]\nprobe_sender = 'probe@example.net'",
            'FILE: identity.probe_sender: "probe@example.net" comes with a later version; '
            'write probe_sender = "", the null sender',
        ),
        (
            "[store]\nurl = 'postgresql://user:secret@host/name'",
            'FILE: store.url: "postgresql:…" comes with a later version; '
            'write url = "sqlite:///path/to/file" under [store]',
        ),
    ],
)
def test_what_comes_later_is_refused_by_name(file: Path, content: str, line: str) -> None:
    file.write_text(content)

    assert line == mistake_in(file)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ringback:secret@host/name", '"postgresql:…"'),
        ("postgresql://ringback@srv:secret@host/name", '"postgresql:…"'),
        ("postgresql://host/name?user=r;password=secret", '"postgresql:…"'),
        ("sqlite://ringback:secret@host/name", '"sqlite:…"'),
        ("mysql://ringback@srv:secret@host/name", '"mysql:…"'),
        ("mysql://h/n?user=r&passwd=secret", '"mysql:…"'),
        ("mysql:/ringback:secret@host/name", '"mysql:…"'),
        ("mysql+x://ringback:secret\t@host/name", '"mysql+x:…"'),
        ("jdbc:mysql://ringback:secret@host/name", '"jdbc:…"'),
        ("ringback:secret@host/name", '"ringback:…"'),
        ("ringback secret:@host/name", "it"),
        (":secret@host/name", "it"),
        ("secret", "it"),
    ],
)
def test_no_mistake_shows_a_password(file: Path, url: str, shown: str) -> None:
    file.write_text(f"[store]\nurl = {json.dumps(url)}")
    in_file = mistake_in(file)
    in_variable = mistake_in(None, RINGBACK_STORE__URL=url)
    file.write_text(f"store = {json.dumps(url)}")
    misplaced = mistake_in(file)

    assert in_file.startswith(f"FILE: store.url: {shown} ")
    assert in_variable.startswith(f"RINGBACK_STORE__URL: store.url: {shown} ")
    assert not [line for line in (in_file, in_variable, misplaced) if "secret" in line]
    assert "FILE: store: it is not a table; write [store]" == misplaced


def test_every_mistake_is_found_at_once(file: Path) -> None:
    file.write_text(
        "[smtp]\nport = 0\nprot = 1\n[http]\nlisten = '0.0.0.0:1'\n[bulk]\nconsent = 1\n"
    )

    loaded, mistakes = examine_settings(str(file), {"RINGBACK_SMTP__MAX_HOSTS": "0"})

    assert loaded is None
    assert ["smtp.prot", "smtp.port", "bulk.consent", "smtp.max_hosts", "http.listen"] == [
        mistake.key for mistake in mistakes
    ]


def test_keys_that_do_not_go_together_name_the_one_that_was_written(
    file: Path,
) -> None:
    file.write_text("[http]\nlisten = '0.0.0.0:8025'\n")

    assert mistake_in(file).startswith(
        'FILE: http.listen: "0.0.0.0:8025" can be reached from outside'
    )


def test_routes_are_read(file: Path) -> None:
    file.write_text("[[recipient.route]]\ndomain = 'A.example'\nhost = '10.0.0.1'\nport = 24\n")

    loaded = load_settings(str(file), {})

    assert (RecipientRoute("a.example", ("10.0.0.1",), 24),) == loaded.settings.recipient.route


def test_what_comes_later_names_real_keys() -> None:
    assert {later.key for later in LATER} <= set(KEYS)


SCALARS = st.one_of(
    st.text(), st.booleans(), st.integers(), st.floats(), st.dates(), st.sampled_from(["", "::1"])
)
WRITTEN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)


def is_shown_whole(mistake: Exception) -> bool:
    """Say whether a mistake is one line that needs no escape."""
    return str(mistake) == printable(str(mistake), limit=10_000)


@pytest.mark.slow
@given(st.sampled_from(sorted(KEYS)), WRITTEN)
def test_any_value_is_read_or_refused_in_one_line(key: str, written: object) -> None:
    try:
        KEYS[key].rule.admit(key, written)
    except SettingError as error:
        assert error.key.startswith(key)
        assert is_shown_whole(error)


@pytest.mark.slow
@given(st.sampled_from(sorted(KEYS)), st.text())
def test_any_variable_is_read_or_refused_in_one_line(key: str, text: str) -> None:
    loaded, mistakes = examine_settings(None, {variable_of(key): text}, standard_path="/absent")

    assert (loaded is None) == bool(mistakes)
    assert all(is_shown_whole(mistake) for mistake in mistakes)


@pytest.mark.slow
@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_file_is_read_or_refused_in_one_line(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ringback.toml"
        path.write_bytes(content)
        loaded, mistakes = examine_settings(str(path), {})

    assert (loaded is None) == bool(mistakes)
    assert all(is_shown_whole(mistake) for mistake in mistakes)
