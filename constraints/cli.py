# SPDX-License-Identifier: Apache-2.0
"""What the commands of ./lanyard that are Python have in common: what is wrong is one line, and nothing is left behind."""
import argparse
import os
import pathlib
import signal
import sys


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def output(name):
    """The type of an argument: a file to write. That it cannot be is told before the work, not after it."""
    path = pathlib.Path(name)
    folder = next((parent for parent in path.absolute().parents if parent.exists()), path)
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write '{name}', expected the name of a file")
    return path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def end(number, _):
    raise SystemExit(128 + number)


def say(text):
    """On a line of its own, also where a line tells what goes on."""
    print(("\r\033[K" if sys.stderr.isatty() else "") + text, file=sys.stderr)


def run(name, main, *errors):
    """Runs a command; `errors` are what its user can mend. An interruption unwinds, which ends what it has started."""
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # who reads no further (head) need not be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        say(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")
        sys.exit(1)
    except errors as error:
        say(f"{name}: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say(f"{name}: interrupted")
        sys.exit(130)
