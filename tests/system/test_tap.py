# SPDX-License-Identifier: Apache-2.0
"""A simulated host on a TAP, used by programs of this machine."""
import hashlib
import sys

HOST = "192.0.2.1"


def test_exit_status_of_the_command_becomes_ours(lanyard):
    assert lanyard("tap", "--", "sh", "-c", "exit 7").returncode == 7
    assert lanyard("tap", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + 15


def test_ping_is_answered_at_any_size(lanyard):
    outcome = lanyard("tap", "--", "sh", "-c", f"ping -c 2 -i 0.2 -s 1 {HOST} && ping -c 2 -i 0.2 -s 1472 {HOST} && "
                      f"ping -c 2 -i 0.2 -s 4000 {HOST}")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.count("2 packets transmitted, 2 received") == 3


def test_closed_port_refuses_at_once(lanyard):
    client = f"""
import socket, time
start = time.monotonic()
try:
    socket.create_connection(("{HOST}", 4321))
except ConnectionRefusedError:
    print("refused", time.monotonic() - start < 0.9)
"""
    assert lanyard("tap", "--", sys.executable, "-c", client).stdout == "refused True\n"


def test_echo_gives_back_what_linux_sends_over_tcp_and_udp(lanyard):
    client = f"""
import socket, os
data = os.urandom(100_000)
tcp = socket.create_connection(("{HOST}", 7), timeout=30)
back = b""
for at in range(0, len(data), 10_000):
    tcp.sendall(data[at:at + 10_000])
    while len(back) < at + 10_000:
        back += tcp.recv(65536)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(30)
udp.sendto(data[:1000], ("{HOST}", 7))
print(back == data, udp.recv(2000) == data[:1000])
"""
    outcome = lanyard("tap", "--", sys.executable, "-c", client)
    assert outcome.stdout == "True True\n", outcome.stderr


def test_served_folder_is_at_the_address_asked_for(lanyard, tmp_path):
    (tmp_path / "file").write_bytes(b"served")
    outcome = lanyard("tap", "--serve", tmp_path, "--address", "198.51.100.254", "--", "curl", "-sS", "--noproxy", "*",
                      "http://198.51.100.254/file")
    assert outcome.stdout == "served", outcome.stderr


def test_many_clients_at_once_get_their_files_intact(lanyard, tmp_path):
    data = hashlib.shake_256(b"file").digest(50_000)
    (tmp_path / "file").write_bytes(data)
    clients = f"""
import concurrent.futures, urllib.request
with concurrent.futures.ThreadPoolExecutor(10) as pool:
    fetch = lambda _: urllib.request.urlopen("http://{HOST}/file", timeout=60).read()
    print([len(body) for body in pool.map(fetch, range(10)) if body == open("{tmp_path}/file", "rb").read()])
"""
    outcome = lanyard("tap", "--serve", tmp_path, "--", sys.executable, "-c", clients)
    assert outcome.stdout == f"{[50_000] * 10}\n", outcome.stderr


def test_capture_shows_both_directions(lanyard, tshark, tmp_path):
    pcap = tmp_path / "tap.pcap"
    assert lanyard("tap", "--pcap", pcap, "--", "ping", "-c", "1", HOST).returncode == 0
    assert len(tshark(pcap, "icmp.type == 8")) == 1
    assert len(tshark(pcap, "icmp.type == 0")) == 1
