"""Configuration files of Ringback for a network where each host has port 25 of an address of its own.

Not here: laying out the installation (program.py).
"""

import json
from collections.abc import Mapping

_BASE: Mapping[str, Mapping[str, object]] = {
    "identity": {
        "helo_name": "verify.lab.example",
        "contact": "postmaster@lab.example",
        # Not 127.0.0.1: some servers trust it, and their words would be others.
        "source_addresses": ["127.8.0.1"],
    },
    "dns": {"nameservers": ["127.0.0.1:53"]},
    "smtp": {"allowed_networks": ["127.0.0.0/8"]},
    "etiquette": {"call_when": "always"},
    "policy": {"listen": [], "mode": "enforce"},
    "http": {"listen": ""},
}


def settings_with(**sections: Mapping[str, object]) -> str:
    """Write a ringback.toml that enforces and calls always, with `sections` over it."""
    lines = []
    for name in {**_BASE, **sections}:
        lines.append(f"[{name}]")
        merged = {**_BASE.get(name, {}), **sections.get(name, {})}
        # What JSON writes of texts, numbers, truths and lists of them, TOML reads.
        lines += [f"{key} = {json.dumps(value)}" for key, value in merged.items()]
    return "\n".join(lines) + "\n"
