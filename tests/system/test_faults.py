# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is one clear line and an exit status, and nothing is left behind."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest


def one_line(outcome, status, pattern):
    assert outcome.returncode == status, outcome.stderr
    assert re.fullmatch(f"lanyard: .*{pattern}.*\n", outcome.stderr), outcome.stderr


def test_missing_folder_is_named(lanyard):
    one_line(lanyard("demo", "/no/such/folder"), 1, "/no/such/folder")


def test_unknown_options_and_commands_are_named(lanyard):
    one_line(lanyard("demo", "--frob"), 2, "--frob")
    one_line(lanyard("frob"), 2, "subcommand")
    one_line(lanyard("tap", "--address", "192.0.2"), 2, "192.0.2")


def test_missing_tun_device_comes_with_what_to_do(program):
    command = 'mount -t tmpfs none /dev/net && exec "$0" tap -- true'
    outcome = subprocess.run(["unshare", "-Urm", "sh", "-c", command, program], capture_output=True, text=True, timeout=60)
    one_line(outcome, 1, "/dev/net/tun: No such file or directory; load the module")


def test_refused_namespace_comes_with_what_to_do(program):
    command = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" tap -- true'
    outcome = subprocess.run(["unshare", "-Ur", "sh", "-c", command, program], capture_output=True, text=True, timeout=60)
    one_line(outcome, 1, "network namespace.*run as root")


def test_missing_curl_comes_with_what_to_do(lanyard, tmp_path):
    (tmp_path / "ping").symlink_to("/bin/true")
    one_line(lanyard("demo", "--out", tmp_path, env={"PATH": str(tmp_path)}), 1, "curl is missing.*apt install curl")


def test_missing_command_is_named(lanyard):
    one_line(lanyard("tap", "--", "/no/such/program"), 1, "/no/such/program: No such file")


def test_unwritable_output_is_named(lanyard):
    one_line(lanyard("demo", "--out", "/proc/lanyard"), 1, "/proc/lanyard")


def test_a_waveform_replaces_nothing_but_a_file(lanyard, tmp_path):
    (tmp_path / "scenario.toml").write_text('duration = "1ms"\n[[host]]\nname = "a"\naddress = "192.0.2.1/24"\n')
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    one_line(lanyard("sim", tmp_path / "scenario.toml", "--fst", pipe), 1, "pipe: is not a file")
    assert pipe.is_fifo()


def test_a_report_that_standard_output_does_not_take_is_an_error(program, tmp_path):
    (tmp_path / "scenario.toml").write_text('duration = "1ms"\n[[host]]\nname = "a"\naddress = "192.0.2.1/24"\n')
    with open("/dev/full", "w") as full:
        outcome = subprocess.run([program, "sim", tmp_path / "scenario.toml", "--json", "-"], stdout=full,
                                 stderr=subprocess.PIPE, text=True, timeout=60)
    assert (outcome.returncode, outcome.stderr) == (1, "lanyard: cannot write standard output\n")


def running(mark):
    """The processes with `mark` in their environment."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


def namespaces(processes):
    """The network namespaces that these processes are in."""
    found = set()
    for process in processes:
        try:
            found.add(os.readlink(f"/proc/{process}/ns/net"))
        except OSError:
            pass
    return found


@pytest.mark.parametrize("signal_number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("arguments", [["demo"], ["tap", "--", "sh", "-c", "sleep 1000 & ping 192.0.2.1; true"]])
def test_an_end_in_the_middle_leaves_nothing_behind(program, tmp_path, arguments, signal_number, status):
    if arguments == ["demo"]:
        arguments = ["demo", "--out", str(tmp_path)]
    mark = f"LANYARD_TEST={tmp_path}"
    environment = dict(os.environ, LANYARD_TEST=str(tmp_path))
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + 30
    while len(running(mark)) < 3 and time.monotonic() < deadline:  # the program, a child's init, the child
        time.sleep(0.05)
    assert len(running(mark)) >= 3
    inside = namespaces(running(mark)) - namespaces(["self"])
    assert inside
    process.send_signal(signal_number)
    assert process.wait(timeout=30) == status
    while running(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(mark) == []
    assert not inside & namespaces(process.name for process in pathlib.Path("/proc").glob("[0-9]*"))
