"""What holds for all tests."""

import signal

# A shell ignores Ctrl-C in what it runs in the background, and whatever that starts inherits it. Tests that interrupt
# something mean what happens in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
