# SPDX-License-Identifier: Apache-2.0
"""What tests see of programs that they interrupt, and of what these have started."""
import os
import pathlib
import pty
import signal
import subprocess


def marked(mark):
    """The processes with `mark`, a NAME=VALUE, in their environment: their command lines, by process."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found[process.name] = (process / "cmdline").read_bytes()
        except OSError:
            pass
    return found


def interrupted_on_terminal(command, shown):
    """The exit status of `command`, interrupted once its terminal shows `shown`, and all that the terminal has shown."""
    terminal, side = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=side)
    os.close(side)
    text = b""
    while shown not in text:
        text += os.read(terminal, 1000)
    process.send_signal(signal.SIGINT)
    return process.wait(timeout=30), text + os.read(terminal, 10000)
