# SPDX-License-Identifier: Apache-2.0
"""What the commands of ./lanyard that are Python have in common: what is wrong is one line, and nothing is left behind.

An interruption reaches no Python code: run() keeps the main thread for signals, the command itself is another thread's.
Its children are ended, and it unwinds from where it waits for one, or is about to start the next.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

CHANGING = threading.RLock()  # of what follows; the handler of a signal may be interrupted by the next
CHILDREN = set()
INTERRUPTIONS = []  # numbers of signals


class Interrupted(Exception):
    pass


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


def child(*command, **options):
    """subprocess.run() of a program whose output is text, for any thread of a command. An interruption ends it, and Ctrl-C
    reaches it in no other way."""
    with CHANGING:
        if INTERRUPTIONS:
            raise Interrupted
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, process_group=0, **options)
        CHILDREN.add(process)
    output, errors = process.communicate()
    with CHANGING:
        CHILDREN.remove(process)
        if INTERRUPTIONS:
            raise Interrupted
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def interrupt(number, _):
    """Asks the children to end; the second time they are not asked."""
    with CHANGING:
        INTERRUPTIONS.append(number)
        for process in CHILDREN:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM if len(INTERRUPTIONS) == 1 else signal.SIGKILL)


def say(text):
    """On a line of its own, also where a line tells what goes on."""
    print(("\r\033[K" if sys.stderr.isatty() else "") + text, file=sys.stderr)


def run(name, main, *errors):
    """Runs a command; `errors` are what its user can mend."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            thread.submit(main).result()
        sys.stdout.flush()
    except Interrupted:
        say(f"{name}: interrupted")
        sys.exit(128 + INTERRUPTIONS[0])
    except BrokenPipeError:  # who reads no further (head) need not be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        say(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")
        sys.exit(1)
    except errors as error:
        say(f"{name}: {error}")
        sys.exit(1)
