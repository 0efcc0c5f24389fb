# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is one clear line and an exit status, and nothing is left behind."""
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from processes import interrupted_on_terminal, marked


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


@pytest.mark.parametrize("seed", ["-1", "x", "1x", "9223372036854775808", "99999999999999999999"])
def test_a_seed_is_what_a_scenario_takes_for_one(lanyard, scenario, seed):
    for command in (["sim", scenario()], ["tap"], ["demo"]):
        one_line(lanyard(*command, f"--seed={seed}"), 2, f"--seed: {seed}, expected an integer from 0 to 9223372036854775807")


@pytest.fixture
def scenario(tmp_path):
    """Writes a short run of two hosts, with what is added to it."""

    def write(more=""):
        file = tmp_path / "scenario.toml"
        hosts = (f'[[host]]\nname = "{name}"\naddress = "192.0.2.{number}/24"\n' for number, name in enumerate("ab", 1))
        file.write_text(f'duration = "20ms"\n{"".join(hosts)}[[link]]\nbetween = ["a", "b"]\n{more}')
        return file

    return write


@pytest.mark.parametrize("option", ["--pcap", "--json", "--fst"])
def test_an_output_that_cannot_be_made_is_told_before_the_run(lanyard, scenario, option):
    outcome = lanyard("sim", scenario(), option, "/no/such/file")
    one_line(outcome, 1, "/no/such/file: No such file or directory")
    assert outcome.stdout == ""


@pytest.mark.skipif(not stat.S_ISCHR(os.stat("/dev/full").st_mode), reason="/dev/full is none")
def test_an_output_that_does_not_take_all_is_told(program, lanyard, scenario):
    one_line(lanyard("sim", scenario(), "--pcap", "/dev/full"), 1, "/dev/full")
    one_line(lanyard("sim", scenario(), "--json", "/dev/full"), 1, "/dev/full: No space left on device")
    with open("/dev/full", "w") as full:
        outcome = subprocess.run([program, "sim", scenario()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    one_line(outcome, 1, "cannot write standard output")


def test_an_interruption_takes_the_line_of_progress_away(program, tmp_path):
    status, shown = interrupted_on_terminal([program, "demo", "--out", tmp_path], b"ping: simulated")
    assert status == 130 and b"\r\033[Klanyard: demo: interrupted\r\n" in shown


def test_a_window_without_a_waveform_is_a_mistake(lanyard, scenario):
    one_line(lanyard("sim", scenario(), "--fst-window", "1ms:1ms"), 2, "expected --fst FILE too")


def test_a_command_whose_output_cannot_be_written_is_not_blamed(lanyard, tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text('[[host]]\nname = "a"\naddress = "192.0.2.1/24"\n[[link]]\nhost = "a"\ntap = "t"\naddress = "192.0.2.2/24"\n'
                    '[[application]]\nrun = "command"\nargv = ["true"]\nfile = "/no/such/file"\n')
    one_line(lanyard("sim", file), 1, "cannot write /no/such/file: No such file or directory")


def test_a_reader_that_goes_away_does_not_cut_the_run_short(program, tmp_path):
    command = f'"$0" demo --out "{tmp_path}" | head -n 1; exit "${{PIPESTATUS[0]}}"'
    outcome = subprocess.run(["bash", "-c", command, program], capture_output=True, text=True, timeout=100)
    assert (outcome.returncode, outcome.stdout.count("\n"), "lanyard:" in outcome.stderr) == (1, 1, False)
    assert (tmp_path / "report.json").exists()
    assert [file.name for file in tmp_path.glob("demo.*")] and not list(tmp_path.glob("*.hier"))


def test_two_demos_do_not_write_to_one_folder(program, lanyard, tmp_path):
    first = subprocess.Popen([program, "demo", "--out", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first.stdout.readline()
    one_line(lanyard("demo", "--out", tmp_path), 1, f"demo: another one writes to {tmp_path}, expected another --out")
    first.communicate(timeout=100)
    assert first.returncode == 0


BULK = """duration = "1000s"
[[host]]
name = "a"
address = "192.0.2.1/24"
[[host]]
name = "b"
address = "192.0.2.2/24"
[[link]]
between = ["a", "b"]
[[application]]
run = "bulk-sink"
host = "b"
[[application]]
run = "bulk-source"
host = "a"
to = "192.0.2.2:5001"
duration = "900s"
"""


@pytest.mark.parametrize("signal_number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("fst", [True, False])
def test_an_interrupted_run_has_whole_files(program, tmp_path, tshark, fst, signal_number, status):
    (tmp_path / "scenario.toml").write_text(BULK)
    outputs = ["--pcap", tmp_path / "run.pcap", "--json", tmp_path / "run.json", *(["--fst", tmp_path / "run.fst"] if fst else [])]
    process = subprocess.Popen([program, "sim", tmp_path / "scenario.toml", *outputs], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run.pcap").exists() or (tmp_path / "run.pcap").stat().st_size < 100_000:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal_number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (status, "lanyard: sim: interrupted\n")
    assert ": interrupted\n" in output
    result = json.loads((tmp_path / "run.json").read_text())
    assert result["end"] == "interrupted"
    assert len(tshark(tmp_path / "run.pcap", "frame")) == result["capture"]["frames"]
    assert {file.suffix for file in tmp_path.iterdir()} == {".toml", ".pcap", ".json"} | ({".fst"} if fst else set())


def test_a_run_that_does_not_hear_ends_at_the_second_signal(program, tmp_path):
    (tmp_path / "scenario.toml").write_text('duration = "1000s"\n[[host]]\nname = "a"\naddress = "192.0.2.1/24"\n')
    process = subprocess.Popen([program, "sim", tmp_path / "scenario.toml", "--no-idle-skip"], stderr=subprocess.DEVNULL)
    time.sleep(1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    assert process.wait(timeout=5) == 130


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
    while len(marked(mark)) < 3 and time.monotonic() < deadline:  # the program, a child's init, the child
        time.sleep(0.05)
    assert len(marked(mark)) >= 3
    inside = namespaces(marked(mark)) - namespaces(["self"])
    assert inside
    process.send_signal(signal_number)
    assert process.wait(timeout=30) == status
    assert not (tmp_path / "report.json").exists()
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not marked(mark)
    assert not inside & namespaces(process.name for process in pathlib.Path("/proc").glob("[0-9]*"))
