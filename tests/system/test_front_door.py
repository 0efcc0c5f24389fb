# SPDX-License-Identifier: Apache-2.0
"""The script ./lanyard in a tree of its own, with stand-ins for the programs that install and build."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from processes import marked

SCRIPT = pathlib.Path(__file__).parents[2] / "lanyard"
USER_ID = 1000


class Tree:
    def __init__(self, folder):
        self.folder, self.bin, self.calls = folder, folder / "bin", folder / "calls"
        self.bin.mkdir()
        (folder / "tests").mkdir()
        (folder / "tests/requirements.txt").touch()
        shutil.copy(SCRIPT, folder)
        # What the script needs of the system is there, what it must not find (sudo) is not.
        for name in "bash awk cat cmp cp cut date dirname flock grep mkdir printf readlink rm sleep tail timeout touch tr".split():
            (self.bin / name).symlink_to(shutil.which(name))
        self.stand_in("dpkg-query", "echo installed")
        self.stand_in("id", "echo 0")
        self.stand_in("ctest", "true")
        self.stand_in("cmake", '[ "$1" = -S ] && touch "$4/build.ninja"; true')

    def stand_in(self, name, body):
        """A program that notes its call, and then does what `body` says."""
        file = self.bin / name
        file.write_text(f'#!{self.bin}/bash\necho {name} "$@" >>{self.calls}\n{body}\n')
        file.chmod(0o755)

    def environment(self):
        return {**os.environ, "PATH": str(self.bin), "LANYARD_MARK": str(self.folder)}

    def run(self, *arguments):
        return subprocess.run([self.folder / "lanyard", *arguments], capture_output=True, text=True, timeout=60, env=self.environment())

    def called(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def running(self):
        return marked(f"LANYARD_MARK={self.folder}")


@pytest.fixture
def tree(tmp_path):
    # A virtual environment that is up to date already.
    (tmp_path / "build/venv").mkdir(parents=True)
    (tmp_path / "build/venv/installed.txt").touch()
    return Tree(tmp_path)


def test_build_configures_once(tree):
    for _ in range(2):
        done = tree.run("build")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    cmake = [call for call in tree.called() if call.startswith("cmake")]
    assert [call.split()[1] for call in cmake] == ["-S", "--build", "--build"]


@pytest.mark.parametrize("command", ["build", "test"])
def test_help_installs_and_builds_nothing(tree, command):
    done = tree.run(command, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: ./lanyard {command}")
    assert tree.called() == []


@pytest.mark.parametrize("words, complaint", [
    (["frob"], "unknown command 'frob', expected one of demo"),
    (["build", "lanyard"], "build: unexpected 'lanyard'"),
    (["test", "--frob"], "test: unknown option '--frob'"),
])
def test_a_wrong_command_line_is_one_line_and_does_nothing(tree, words, complaint):
    done = tree.run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"lanyard: {complaint}") and done.stderr.count("\n") == 1
    assert tree.called() == []


@pytest.mark.parametrize("number, status, command, program", [
    (signal.SIGINT, 130, "build", "cmake"), (signal.SIGTERM, 143, "build", "cmake"),
    (signal.SIGTERM, 143, "test", "ctest"), (signal.SIGHUP, 129, "test", "ctest"),
    (signal.SIGINT, 130, "build", "cmake, deaf")])
def test_an_interruption_ends_what_was_started_too(tree, number, status, command, program):
    # What a shell starts in the background is deaf to Ctrl-C.
    body = 'bash -c "sleep 1000; true" & wait' if "deaf" in program else 'bash -c "sleep 1000; true"; true'
    tree.stand_in(program.split(",")[0], body if command == "test" else f'[ "$1" = --build ] || exit 0; {body}')
    process = subprocess.Popen([tree.folder / "lanyard", command], env=tree.environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not any(b"1000" in command for command in tree.running().values()):
        assert time.monotonic() < deadline, tree.called()
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (status, "lanyard: interrupted\n")
    assert not tree.running()


def test_what_python_packages_keep_stays_in_the_tree(tree):
    tree.stand_in("ctest", f'echo "$XDG_CACHE_HOME $MPLCONFIGDIR" >{tree.folder}/kept')
    assert tree.run("test").returncode == 0
    assert (tree.folder / "kept").read_text().split() == [f"{tree.folder}/build/cache", f"{tree.folder}/build/cache/matplotlib"]


def test_a_failure_shows_the_last_lines_and_where_the_rest_is(tree):
    tree.stand_in("cmake", "printf '%s\\n' {1..100}; exit 3")
    done = tree.run("build")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "71"
    assert done.stderr.splitlines()[-1] == "lanyard: cmake failed; the whole output is in build/log/cmake"


@pytest.mark.parametrize("sudo, advice", [
    (None, "there is no sudo to install them; as root: apt-get install --no-install-recommends cmake ninja-build"),
    ("exit 1", "sudo does not let us install them; as root: apt-get install --no-install-recommends cmake ninja-build"),
])
def test_who_may_not_install_is_told_what_to_install(tree, sudo, advice):
    tree.stand_in("dpkg-query", "echo unknown")
    tree.stand_in("id", f"echo {USER_ID}")
    if sudo:
        tree.stand_in("sudo", sudo)
    done = tree.run("build")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert advice in done.stderr


def test_sudo_asks_before_anything_else_writes(tree):
    tree.stand_in("dpkg-query", "echo unknown")
    tree.stand_in("id", f"echo {USER_ID}")
    asked = tree.folder / "asked"
    tree.stand_in("sudo", f'[ "$1" = -v ] && touch {asked}; [ -e {asked} ]')
    done = tree.run("build")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("lanyard: installing cmake ninja-build") and done.stderr.count("\n") == 1
    sudo = [call for call in tree.called() if call.startswith("sudo")]
    assert [call.split()[1:3] for call in sudo] == [["-n", "true"], ["-v"], ["-n", "apt-get"], ["-n", "env"]]
