# SPDX-License-Identifier: Apache-2.0
"""Scenario files: the examples run, and each mistake is one line that says where it is and what was expected."""
import pathlib
import subprocess

import pytest

SCENARIOS = pathlib.Path(__file__).parent / "scenarios"
HOST = '[[host]]\nname = "a"\naddress = "192.0.2.1/24"\n'
OTHER = '[[host]]\nname = "b"\naddress = "192.0.2.2/24"\n'
RUN = f'duration = "1s"\n{HOST}'
TAP = '[[link]]\nhost = "a"\n'
LINK = '[[link]]\nbetween = ["a", "b"]\n'


def assert_one_line(outcome, status, beginning):
    assert outcome.returncode == status, outcome.stderr
    assert outcome.stderr.startswith(beginning) and outcome.stderr.count("\n") == 1, outcome.stderr


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.toml")), ids=lambda file: file.name)
def test_example_runs(lanyard, file):
    outcome = lanyard("sim", file)
    assert (outcome.returncode, outcome.stderr) == (0, "")


MISTAKES = [
    ("", 1, "there is no host"),
    ("seed = = 1", 1, "expected TOML"),
    ("sed = 1", 1, "unknown key 'sed', expected one of seed, duration"),
    ('seed = "x"', 1, "seed = 'x', expected an integer from 0"),
    ("seed = -1", 1, "seed = -1, expected an integer from 0"),
    (HOST, 1, "nothing ends this run, expected a duration"),
    (f"duration = 5\n{HOST}", 1, "duration = 5, expected a time"),
    (f'duration = "5"\n{HOST}', 1, "duration = '5', expected a time"),
    ('duration = "1s"\n[host]\nname = "a"', 2, "host = a table, expected [[host]]"),
    ('duration = "1s"\n[[host]]\naddress = "192.0.2.1/24"', 2, "host: 'name' is missing"),
    ('duration = "1s"\n[[host]]\nname = "a"\nadress = "192.0.2.1/24"', 4, "host: unknown key 'adress'"),
    ('duration = "1s"\n[[host]]\nname = "a"\naddress = "192.0.2.1"', 4, "expected a host's address with prefix"),
    ('duration = "1s"\n[[host]]\nname = "a b"', 3, "expected letters, digits and _"),
    (f"{RUN}clk = 25", 5, "clk = 25, expected a frequency"),
    (f'{RUN}clk = "24MHz"', 5, "expected a frequency from"),
    (f'{RUN}mii = "1Gb/s"', 5, "mii = '1Gb/s', expected"),
    (f'{RUN}mac = "03:00:00:00:00:01"', 5, "expected a station's address"),
    (f"{RUN}memory_latency_cycles = 0", 5, "expected an integer from 1"),
    (f'{RUN}mac = "00:00:00:00:00:00"', 5, "expected a station's address"),
    (f"{RUN}{HOST}", 6, "that no other host has"),
    ('[[host]]\nname = """a\nb"""', 2, "name = '''a b'''"),
    ('"a\\nb" = 1', 1, "unknown key 'a b'"),
    (f'{RUN}[[link]]\nbetween = ["a"]', 6, "expected the names of two hosts"),
    (f'{RUN}[[link]]\nbetween = ["a", "b"]', 6, "expected the name of a host"),
    (f'{RUN}[[link]]\nbetween = ["a", "a"]', 6, "expected a host that has no other link"),
    (f'{RUN}[[link]]\nhost = "a"\ntap = "a name that is too long"', 7, "expected a device name"),
    (f'{RUN}[[link]]\nhost = "a"\ntap = "t"\naddress = "192.0.2.2/24"\ndrop = 1.5', 9, "expected a probability"),
    (f'{RUN}[[link]]\nhost = "a"\ntap = "t"\naddress = "192.0.2.2/24"\ndelay = "3s"', 9, "expected at most 2684ms"),
    (f'{RUN}[[link]]\nhost = "a"\ntap = "t"\naddress = "192.0.2.2/24"\nrate = "0b/s"', 9, "expected a rate"),
    (f'{RUN}{TAP}tap = "a:b"', 7, "expected a device name"),
    (f'{RUN}{TAP}tap = "."', 7, "expected a device name"),
    (f'{RUN}{TAP}tap = "a\\nb"', 7, "expected a device name"),
    (f'{RUN}{TAP}tap = "t"\naddress = "192.0.2.1/24"', 8, "expected one for Linux, other than its host's"),
    (f'{RUN}{TAP}tap = "t"\naddress = "192.0.2.0/24"', 8, "expected Linux's address with prefix"),
    (f'{RUN}{TAP}tap = "t"\naddress = "192.0.2.9/24"\n{OTHER}[[link]]\nhost = "b"\ntap = "t"', 14, "that no other link has"),
    (f'{RUN}{OTHER}{LINK}address = "192.0.2.9/24"', 9, "without host, tap and address"),
    (f'{RUN}{OTHER.replace("2.2", "2.1")}{LINK}', 9, "expected hosts with an address and a mac of their own"),
    (f'{RUN}{OTHER}mac = "02:00:00:00:00:01"\n{LINK}', 10, "expected hosts with an address and a mac of their own"),
    (f'{RUN}{OTHER}mac = "02:00:00:00:00:01"\n[[hub]]\nhosts = ["a", "b"]', 10, "a mac of their own"),
    (f'{RUN}phy_address = 32', 5, "expected an integer from 0 to 31"),
    (f'{RUN}plug = "1ms"', 5, "expected a time after that of unplug"),
    (f'{RUN}unplug = "2ms"\nplug = "1ms"', 6, "expected a time after that of unplug"),
    (f'{RUN}[[hub]]', 5, "hub: 'hosts' is missing"),
    (f'{RUN}[[hub]]\nhosts = "a"', 6, "hub: hosts = 'a', expected a list of texts"),
    (f'{RUN}[[hub]]\nhosts = ["a", "b"]', 6, "expected the name of a host"),
    (f'{RUN}[[hub]]\nhosts = ["a"]\ndelay = "1"', 7, "expected a time such as"),
    (f'{RUN}[[hub]]\nhosts = ["a"]\ndelay = "1s"', 7, "expected at most 1ms"),
    (f'{RUN}[[hub]]\nhosts = ["a"]\ndelays = ["1ns", "2ns"]', 7, 'expected a time such as "250ns" for each host'),
    (f'{RUN}{OTHER}mii = "10Mb/s"\n[[hub]]\nhosts = ["a", "b"]', 10, "expected hosts with the same mii rate"),
    (f'{RUN}[[application]]\nhost = "a"', 5, "application: 'run' is missing"),
    (f'{RUN}[[application]]\nrun = "frob"', 6, "run = 'frob', expected one of httpd, echo"),
    (f'{RUN}[[application]]\nrun = "echo"\nhost = "b"', 7, "echo: host = 'b', expected the name of a host"),
    (f'{RUN}[[application]]\nrun = "echo"\nhost = "a"\nport = 0', 8, "expected an integer from 1 to 65535"),
    (f'{RUN}[[application]]\nrun = "echo"\nhost = "a"\nurl = "x"', 8, "echo: unknown key 'url'"),
    (f'{RUN}[[application]]\nrun = "httpd"\nhost = "a"\nfolder = "nowhere"', 8, "expected a folder that exists"),
    (f'{RUN}[[application]]\nrun = "fetch"\nhost = "a"\nurl = "ftp://x/"', 8, "expected http://address"),
    (f'{RUN}[[application]]\nrun = "bulk-source"\nhost = "a"\nto = "192.0.2.2"', 8, 'expected "address:port"'),
    (f'{RUN}[[application]]\nrun = "bulk-source"\nhost = "a"\nto = "192.0.2.2:1"', 5, "bytes and duration are missing"),
    (f'{RUN}[[application]]\nrun = "command"\nargv = ["true"]', 5, "expected a link with a tap"),
    (f'{RUN}[record]\nfst_window = "1ms"', 6, "expected START:LENGTH"),
    (f'{RUN}[record]\nfst_window = "frame0:1ms"', 6, "expected START:LENGTH"),
    (f'{RUN}[record]\nfst_window = "frame:1ms"', 6, "or frameNUMBER:LENGTH"),
]


@pytest.mark.parametrize("address", ["0.0.0.1", "127.0.0.1", "192.0.2.0", "192.0.2.255", "224.0.0.1", "255.255.255.1"])
def test_a_host_has_an_address_that_a_station_can_have(lanyard, tmp_path, address):
    file = tmp_path / "scenario.toml"
    file.write_text(RUN.replace("192.0.2.1", address))
    assert_one_line(lanyard("sim", file), 2, f"lanyard: {file}:4: host: address = '{address}/24', expected a host's address")
    assert_one_line(lanyard("tap", "--address", address, "--", "true"), 2, f"lanyard: --address {address}, expected a host's address")


@pytest.mark.parametrize("text, line, message", MISTAKES, ids=[message for _, _, message in MISTAKES])
def test_mistake_is_one_line_with_its_place(lanyard, tmp_path, text, line, message):
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    outcome = lanyard("sim", file)
    assert_one_line(outcome, 2, f"lanyard: {file}:{line}: ")
    assert message in outcome.stderr


def test_missing_file_is_named(lanyard):
    outcome = lanyard("sim", "/no/such.toml")
    assert outcome.returncode == 2 and "cannot read /no/such.toml" in outcome.stderr


def edges(waveform):
    """The times at which something changes, in picoseconds."""
    vcd = subprocess.run(["fst2vcd", waveform], check=True, capture_output=True, text=True, timeout=60).stdout
    return [int(line[1:]) for line in vcd.splitlines() if line.startswith("#")]


def test_waveform_around_a_frame_holds_that_frame(lanyard, tmp_path, tshark):
    link = '[[link]]\nbetween = ["a", "b"]\n'
    (tmp_path / "scenario.toml").write_text(f'{RUN.replace("1s", "3ms")}{OTHER}{link}[record]\nfst = "run.fst"\nfst_window = "frame2:1us"')
    assert_one_line(lanyard("sim", tmp_path / "scenario.toml"), 2, "lanyard: a waveform around a frame needs the capture that numbers it")
    outcome = lanyard("sim", tmp_path / "scenario.toml", "--pcap", tmp_path / "run.pcap", "--no-idle-skip")
    assert outcome.returncode == 0, outcome.stderr
    first, second = (1000 * round(float(end) * 1e9) for end in tshark(tmp_path / "run.pcap", "frame", "-T", "fields", "-e", "frame.time_epoch")[:2])
    times = edges(tmp_path / "run.fst")
    assert first <= times[1] <= first + 40_000 and second + 960_000 <= times[-1] <= second + 1_040_000


def test_waveform_of_a_window_holds_that_window(lanyard, tmp_path):
    (tmp_path / "scenario.toml").write_text(RUN.replace("1s", "200us") + '[record]\nfst = "run.fst"')
    outcome = lanyard("sim", tmp_path / "scenario.toml", "--fst-window", "5us:2us", "--no-idle-skip")
    assert outcome.returncode == 0, outcome.stderr
    vcd = subprocess.run(["fst2vcd", tmp_path / "run.fst"], check=True, capture_output=True, text=True, timeout=60).stdout
    times = [int(line[1:]) for line in vcd.splitlines() if line.startswith("#")]
    assert 5_000_000 <= times[1] and times[-1] <= 7_000_000 + 40_000  # the last cycle is shown whole
    assert "$scope module a $end" in vcd
