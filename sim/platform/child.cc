// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/child.h"

#include "sim/platform/user_error.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace lanyard
{

namespace
{

int exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// Why a program did not start.
struct Report {
    int reason;         // errno
    bool of_the_output; // or else of the program itself
};

// Becomes the program, or tells why not.
[[noreturn]] void become(char *const argv[], const char *output, int report_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    bool ready = true;
    if (*output) {
        const int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        ready = out >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0;
    }
    if (ready)
        execvp(argv[0], argv);
    const Report report = {errno, !ready};
    const ssize_t written = write(report_fd, &report, sizeof report);
    _exit(written < 0 ? 126 : 127);
}

// The first process of the namespace: starts the program, reaps orphans, and with its own end ends them all.
[[noreturn]] void be_init(char *const argv[], const char *output, int report_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pollfd report = {report_fd, 0, 0};
    if (poll(&report, 1, 0) > 0) {
        _exit(1); // nobody reads the report: the parent died before the line above
    }
    const pid_t program = fork();
    if (program == 0)
        become(argv, output, report_fd);
    close(report_fd);
    int status = 0;
    for (pid_t ended = 0; ended != program;) {
        ended = waitpid(-1, &status, 0);
        if (ended < 0 && errno != EINTR)
            _exit(1);
    }
    _exit(exit_status(status));
}

} // namespace

Child::Child(const std::vector<std::string> &argv, const std::string &output)
{
    std::vector<char *> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string &argument : argv)
        arguments.push_back(const_cast<char *>(argument.c_str()));
    arguments.push_back(nullptr);

    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0)
        throw UserError(std::string("cannot make a pipe: ") + std::strerror(errno));
    UniqueFd reading(pipe[0]);
    UniqueFd writing(pipe[1]);
    int pidfd = -1;
    pid_ =
        static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr));
    if (pid_ == 0) {
        reading = UniqueFd();
        be_init(arguments.data(), output.c_str(), writing.get());
    }
    Report report = {errno, false};
    pidfd_ = UniqueFd(pidfd);
    writing = UniqueFd();
    if (pid_ > 0 && read(reading.get(), &report, sizeof report) == 0) {
        return; // the pipe closed on exec
    }
    if (pid_ > 0)
        wait();
    throw UserError((report.of_the_output ? "cannot write " + output : "cannot run " + argv[0]) + ": " +
                    std::strerror(report.reason));
}

Child::~Child()
{
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        wait();
    }
}

int Child::wait()
{
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return exit_status(status);
}

} // namespace lanyard
