# SPDX-License-Identifier: Apache-2.0
"""The applications against programs that nobody here wrote: curl, Python's clients and server, the kernel's TCP.

Runs in a network namespace of its own (see CMakeLists.txt).
"""
import contextlib
import functools
import hashlib
import html.parser
import http.client
import http.server
import json
import os
import socket
import subprocess
import threading
import urllib.parse

import pytest

STACK = "192.0.2.2"
URL = f"http://{STACK}"

FILES = {
    "index.html": b"<p>home\n",
    "a.txt": b"0123456789",
    "empty.bin": b"",
    "big.bin": bytes(hashlib.shake_256(b"big").digest(3 << 20)),
    "folder/b.json": b"{}",
    "odd/q&a <1> 100%.txt": b"odd",
    "odd/\u00e4\u00f6 #?.txt": b"umlaut",
    "odd/a:b": b"colon",
    "odd/'\"`": b"quotes",
}

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun")


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, timeout=60)


@contextlib.contextmanager
def host(program, device, network, *arguments):
    """A process of tap_apps as host 2 of a /24; the kernel is host 1."""
    with subprocess.Popen([program, device, f"{network}.2", *arguments], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n", process.stderr.read()
        run("ip", "address", "add", f"{network}.1/24", "dev", device)
        run("ip", "link", "set", device, "up")
        yield process


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    base = tmp_path_factory.mktemp("web")
    (base / "secret.txt").write_bytes(b"secret")
    root = base / "tree"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "outside").symlink_to("../secret.txt")
    (root / "absolute").symlink_to("/etc/passwd")
    return root


@pytest.fixture(scope="module")
def server(request, tree):
    run("ip", "link", "set", "lo", "up")
    with host(request.config.getoption("--tap-apps"), "tap0", "192.0.2", "serve", str(tree)) as process:
        yield process
        process.stdin.close()
        assert process.wait(10) == 0


def curl(*arguments, check=True):
    """What curl writes to standard output."""
    return run("curl", "--silent", "--show-error", "--max-time", "50", *arguments, check=check).stdout


def status(*arguments):
    return int(curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments))


@pytest.mark.parametrize("name", FILES)
def test_curl_gets_every_file_whole(server, name):
    assert curl(f"{URL}/{urllib.parse.quote(name)}") == FILES[name]


def test_curl_reads_the_head(server):
    head = curl("--head", f"{URL}/a.txt").decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nContent-Length: 10\r\n" in head and "\r\nContent-Type: text/plain; charset=utf-8\r\n" in head


@pytest.mark.parametrize("span, part", [("2-5", slice(2, 6)), ("7-", slice(7, None)), ("-3", slice(-3, None))])
def test_curl_gets_a_range(server, span, part):
    assert curl("--range", span, f"{URL}/a.txt") == FILES["a.txt"][part]
    assert curl("--range", span, f"{URL}/big.bin") == FILES["big.bin"][part]


def test_curl_resumes_a_download(server, tmp_path):
    part = tmp_path / "big.bin"
    part.write_bytes(FILES["big.bin"][:1000000])
    curl("--continue-at", "-", "--output", str(part), f"{URL}/big.bin")
    assert part.read_bytes() == FILES["big.bin"]


def test_curl_uses_one_connection_for_several_files(server):
    result = run("curl", "--silent", "--verbose", f"{URL}/a.txt", f"{URL}/folder/b.json", f"{URL}/missing")
    assert result.stderr.count(b"Connected to") == 1
    assert result.stdout == FILES["a.txt"] + FILES["folder/b.json"] + b"Not Found\n"


def test_curl_closes_with_http_1_0(server):
    assert curl("--http1.0", f"{URL}/a.txt") == FILES["a.txt"]


def test_curl_gets_not_modified(server, tree):
    assert status("--time-cond", str(tree / "a.txt"), f"{URL}/a.txt") == 304


def test_curl_follows_the_redirect_to_a_folder(server):
    assert b"b.json" in curl("--location", f"{URL}/folder")


@pytest.mark.parametrize("path", ["/../secret.txt", "/../../etc/passwd", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
                                  "/folder/../../secret.txt", "/outside", "/absolute"])
def test_nothing_outside_the_folder_is_served(server, path):
    assert status("--path-as-is", URL + path) == 403


@pytest.mark.parametrize("arguments, expected", [
    ((f"{URL}/missing",), 404), ((f"{URL}/a.txt/",), 404), (("--data", "x=y", f"{URL}/a.txt"), 405),
    (("--request", "BREW", f"{URL}/a.txt"), 501), (("--header", "Host:", f"{URL}/a.txt"), 400),
    (("--range", "10-", f"{URL}/a.txt"), 416), (("--header", "X: " + "x" * 20000, f"{URL}/a.txt"), 431),
    ((f"{URL}/" + "x" * 20000,), 414)])
def test_what_is_wrong_gets_its_status(server, arguments, expected):
    assert status(*arguments) == expected


def test_an_upload_is_refused_without_a_reset(server, tree):
    assert status("--upload-file", str(tree / "big.bin"), "--header", "Expect:", f"{URL}/x") == 405


def test_a_listing_names_every_file_so_that_it_can_be_fetched(server):
    links = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: links.extend(v for k, v in attributes if k == "href")
    parser.feed(curl(f"{URL}/odd/").decode())
    assert len(links) == 5
    bodies = {curl(urllib.parse.urljoin(f"{URL}/odd/", link)) for link in links if link != "../"}
    assert bodies == {data for name, data in FILES.items() if name.startswith("odd/")}


def test_many_downloads_in_parallel_arrive_whole(server, tmp_path):
    count = 300
    command = ["--parallel", "--parallel-max", "60"]
    for i in range(count):
        command += ["--output", str(tmp_path / str(i)), f"{URL}/{'a.txt' if i % 10 else 'big.bin'}"]
    curl(*command)
    for i in range(count):
        assert (tmp_path / str(i)).read_bytes() == FILES["a.txt" if i % 10 else "big.bin"]


def test_a_slow_reader_gets_it_all_and_delays_nobody(server):
    slow = subprocess.Popen(["curl", "--silent", "--limit-rate", "1M", f"{URL}/big.bin"], stdout=subprocess.PIPE)
    assert curl(f"{URL}/a.txt") == FILES["a.txt"]
    assert slow.poll() is None
    assert slow.communicate(timeout=30)[0] == FILES["big.bin"]


def test_a_thousand_connections_at_once(server):
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(1000):
            connections.append(stack.enter_context(contextlib.closing(http.client.HTTPConnection(STACK, timeout=20))))
            connections[-1].request("GET", "/a.txt")
        for connection in connections:
            assert connection.getresponse().read() == FILES["a.txt"]


def test_pipelined_requests_are_answered_in_order(server):
    with socket.create_connection((STACK, 80), timeout=10) as s:
        for i in range(200):
            s.sendall(f"GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes={i % 10}-{i % 10}\r\n\r\n".encode())
        for i in range(200):
            response = http.client.HTTPResponse(s)
            response.fp = s.makefile("rb", buffering=0)  # so that no octet of the next one is taken
            response.begin()
            assert response.read() == FILES["a.txt"][i % 10:i % 10 + 1]


def test_connections_cut_off_by_the_client_are_forgotten(server):
    for i in range(200):
        with socket.create_connection((STACK, 80), timeout=10) as s:
            s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n"[:i % 38])
            if i % 3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert curl(f"{URL}/a.txt") == FILES["a.txt"]


def test_a_port_nobody_listens_on_is_refused(server):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((STACK, 81), timeout=10)


def test_echo_gives_a_stream_back(server):
    data = FILES["big.bin"]
    with socket.create_connection((STACK, 7), timeout=20) as s:
        sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        sender.start()
        received = b"".join(iter(lambda: s.recv(65536), b""))
        sender.join()
    assert received == data


def test_discard_takes_a_stream_and_says_nothing(server):
    with socket.create_connection((STACK, 9), timeout=20) as s:
        s.sendall(FILES["big.bin"])
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""


def iperf3(*arguments):
    """What the real client says of a test against our server."""
    result = run("iperf3", "--client", STACK, "--json", *arguments, check=False)
    return json.loads(result.stdout)


@pytest.mark.parametrize("arguments", [("--time", "1"), ("--time", "1", "--reverse"), ("--bytes", "3M"),
                                       ("--bytes", "3M", "--reverse"), ("--time", "1", "--parallel", "4"),
                                       ("--time", "1", "--parallel", "8", "--reverse")], ids=" ".join)
def test_iperf3_measures_our_server(server, arguments):
    said = iperf3(*arguments)
    assert "error" not in said
    sent, received = said["end"]["sum_sent"]["bytes"], said["end"]["sum_received"]["bytes"]
    assert len(said["end"]["streams"]) == (int(arguments[3]) if "--parallel" in arguments else 1)
    assert 0 < received <= sent
    assert "--bytes" not in arguments or sent >= 3 << 20


@pytest.mark.parametrize("arguments", [("--bidir",), ("--parallel", "9")], ids=" ".join)
def test_iperf3_hears_what_our_server_has_not_got(server, arguments):
    assert "error" in iperf3("--time", "1", *arguments)
    assert "error" not in iperf3("--time", "1")


@pytest.mark.parametrize("mode", ["iperf", "reverse"])
def test_our_client_measures_iperf3(request, mode):
    with subprocess.Popen(["iperf3", "--server", "--one-off", "--json"], stdout=subprocess.PIPE) as other:
        with host(request.config.getoption("--tap-apps"), "tap1", "198.51.100", mode, "198.51.100.1") as process:
            _, outcome = process.communicate(b"go\n", timeout=30)
        said = json.loads(other.communicate(timeout=30)[0])
    here, there, error = map(int, outcome.split())
    assert error == 0
    assert 0 < here and 0 < there
    assert there <= here if mode == "iperf" else here <= there
    assert "error" not in said
    assert len(said["start"]["connected"]) == 2


def test_the_kernel_found_nothing_wrong(server):
    curl(f"{URL}/big.bin")
    with open("/proc/net/snmp", encoding="ascii") as f:
        lines = [line.split() for line in f]
    counters = {h[0] + n: int(v) for h, values in zip(lines[::2], lines[1::2]) for n, v in zip(h[1:], values[1:])}
    assert counters["Tcp:InErrs"] == counters["Tcp:InCsumErrors"] == counters["Ip:InHdrErrors"] == 0


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize("path, expected", [("big.bin", 200), ("empty.bin", 200), ("missing", 404)])
def test_fetch_gets_files_of_another_server(request, tree, path, expected):
    handler = functools.partial(Handler, directory=str(tree))
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://198.51.100.1:{other.server_port}/{path}"
        with host(request.config.getoption("--tap-apps"), "tap1", "198.51.100", "fetch", url) as process:
            body, outcome = process.communicate(b"go\n", timeout=30)
        other.shutdown()
    assert int(outcome) == expected
    assert expected != 200 or body == FILES[path]
