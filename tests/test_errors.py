"""What the exceptions say. Which of them end what: the tests of those who raise them."""

import pytest

from ringback.errors import ConfigError, RingbackError, UsageError


@pytest.mark.parametrize(
    ("key", "where"),
    [
        pytest.param("smtp.port", "ringback.toml: smtp.port", id="a-key"),
        pytest.param("", "ringback.toml", id="the-file-as-a-whole"),
    ],
)
def test_a_mistake_in_the_configuration_names_file_key_and_remedy(key: str, where: str) -> None:
    error = ConfigError("ringback.toml", key, "not a number", "give one")

    assert f"{where}: not a number; give one" == str(error)


def test_whoever_catches_mistakes_of_usage_catches_those_of_the_configuration() -> None:
    assert issubclass(ConfigError, UsageError)
    assert issubclass(UsageError, RingbackError)
