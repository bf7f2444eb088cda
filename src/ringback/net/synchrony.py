"""Whether something keeps the system's clock right: adjtimex(2), which changes nothing and asks nobody.

The kernel knows, whichever service sets the clock, on a virtual machine too. A server's time would have to
be asked for, and it might be wrong itself. Not here: reading the clock (clock.py).
"""

from importlib import import_module

# adjtimex(2): `struct timex` has 208 octets on 64-bit Linux. All zero it asks, and sets nothing.
_TIMEX_BYTES = 512
_TIME_ERROR = 5  # "the system clock is not synchronized"


def is_synchronised() -> bool | None:
    """Return what the kernel says; None where it may not be asked."""
    ctypes = import_module("ctypes")  # for the doctor only, whom short commands do without
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):  # another system, or a library without it
        return None
    return None if state < 0 else bool(state != _TIME_ERROR)
