/* SPDX-License-Identifier: Apache-2.0 */
/* The shared object under whatever flags are given: calls, packets and time, and what is known to trap an adapter. */
#include "player.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static void a_blocking_accept_returns_with_the_handshake(void **state)
{
    struct play *p = *state;
    int fd = accepted(p);

    assert_true(fcntl(fd, F_GETFD) >= 0); /* a real descriptor */
    assert_int_equal(p->i.close(p->i.userdata, fd), 0);
    expect_segment(p, F_FIN | F_ACK, 1, 0);
}

static void a_blocking_read_returns_with_the_data(void **state)
{
    struct play *p = *state;
    struct call call = {.p = p, .fd = accepted(p)};

    begin(&call, read_some);
    send_segment(p, F_ACK | F_PSH, 1, 1, 1000);
    assert_int_equal(end(&call), 1000);
    assert_int_equal(call.data[999], 'x');
}

/* Scripts inject what a host would merge on the way; a wire does not carry it. */
static void a_segment_may_be_larger_than_the_mtu_where_there_is_no_wire(void **state)
{
    struct play *p = *state;
    static char data[2 * SEGMENT_MOST];
    int fd = accepted(p);

    if (play_has_flag("card"))
        return;
    send_segment(p, F_ACK | F_PSH, 1, 1, SEGMENT_MOST);
    assert_int_equal(p->i.read(p->i.userdata, fd, data, sizeof data), SEGMENT_MOST);
    assert_int_equal(data[SEGMENT_MOST - 1], 'x');
}

static void ioctl_tells_what_is_queued_either_way(void **state)
{
    struct play *p = *state;
    static char data[20 * SEGMENT];
    int fd = accepted(p), in = -1, out = -1, unsent = -1;

    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);
    send_segment(p, F_ACK | F_PSH, 1, 1, 700);
    assert_int_equal(p->i.ioctl(p->i.userdata, fd, SIOCINQ, &in), 0);
    assert_int_equal(p->i.ioctl(p->i.userdata, fd, SIOCOUTQ, &out), 0);
    assert_int_equal(p->i.ioctl(p->i.userdata, fd, SIOCOUTQNSD, &unsent), 0);
    assert_int_equal(in, 700);
    assert_int_equal(out, sizeof data);
    assert_int_equal(unsent, sizeof data - 10 * 536); /* the peer said no MSS */
}

static void a_connection_opens_to_the_peer(void **state)
{
    struct play *p = *state;
    struct seen syn;
    int fd = connecting(p, &syn), error = -1;
    socklen_t bytes = sizeof error;

    assert_true(syn.option_bytes >= 4);
    send_segment(p, F_SYN | F_ACK, 0, 1, 0);
    expect_segment(p, F_ACK, 1, 0);
    assert_int_equal(p->i.getsockopt(p->i.userdata, fd, SOL_SOCKET, SO_ERROR, &error, &bytes), 0);
    assert_int_equal(error, 0);
}

static void a_lost_segment_comes_again_in_virtual_time(void **state)
{
    struct play *p = *state;
    static char data[500]; /* in one segment: the peer said no MSS */
    int fd = accepted(p);

    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);

    struct seen first = expect_segment(p, F_ACK, 1, sizeof data);
    struct seen again = expect_segment(p, F_ACK, 1, sizeof data); /* nobody acknowledged it */

    assert_in_range(again.time_us - first.time_us, 100000, 3100000);
    send_segment(p, F_ACK, 1, 1 + sizeof data, 0);

    int outstanding = p->i.poll(p->i.userdata, &(struct pollfd){fd, POLLOUT, 0}, 1, 0);

    assert_int_equal(outstanding, 1);
}

static void a_transfer_with_loss_arrives_whole(void **state)
{
    struct play *p = *state;
    enum { TOTAL = 20 * SEGMENT };
    static char data[TOTAL];
    struct call call = {.p = p, .fd = accepted(p)};
    int fd = call.fd;
    uint32_t received = 1, lost = 3;
    unsigned steps = 0;

    assert_int_equal(p->i.fcntl(p->i.userdata, fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);
    while (received < 1 + TOTAL && steps++ < 1000) {
        struct seen seen = next_segment(p);

        if (lost && --lost == 0)
            continue;
        if (seen.seq == received)
            received += seen.bytes;
        send_segment(p, F_ACK, 1, received, 0);
    }
    assert_int_equal(received, 1 + TOTAL);
}

static void both_sides_close(void **state)
{
    struct play *p = *state;
    struct call call = {.p = p, .fd = accepted(p)};

    send_segment(p, F_FIN | F_ACK, 1, 1, 0);
    assert_int_equal(next_segment(p).ack, 2);
    begin(&call, read_some);
    assert_int_equal(end(&call), 0);
    assert_int_equal(p->i.close(p->i.userdata, call.fd), 0);
    expect_segment(p, F_FIN | F_ACK, 1, 0);
    send_segment(p, F_ACK, 2, 2, 0);
}

static void looking_at_the_clock_lets_time_pass(void **state)
{
    struct play *p = *state;
    struct timeval before, after;

    p->i.gettimeofday(p->i.userdata, &before, NULL);
    p->i.usleep(p->i.userdata, 1500000);
    p->i.gettimeofday(p->i.userdata, &after, NULL);

    long long us = (after.tv_sec - before.tv_sec) * 1000000LL + after.tv_usec - before.tv_usec;

    assert_int_equal(us, 1500001);
}

/* A SYN and its answer are two frames of at least 84 octets on the wire, and the card's work between them. */
static void an_answer_takes_its_time_only_where_there_is_a_wire(void **state)
{
    struct play *p = *state;
    struct timeval before;

    listener(p);
    p->i.gettimeofday(p->i.userdata, &before, NULL);
    send_segment(p, F_SYN, 0, 0, 0);

    long long us = expect_segment(p, F_SYN | F_ACK, 0, 0).time_us - before.tv_sec * 1000000LL - before.tv_usec;

    if (play_has_flag("card"))
        assert_in_range(us, 13, 200);
    else
        assert_int_equal(us, 0);
}

static void epoll_reports_what_is_new(void **state)
{
    struct play *p = *state;
    int fd = accepted(p), epoll = p->i.epoll_create(p->i.userdata, 1);
    struct epoll_event watch = {.events = EPOLLIN | EPOLLET, .data.fd = fd}, got;

    assert_int_equal(p->i.epoll_ctl(p->i.userdata, epoll, EPOLL_CTL_ADD, fd, &watch), 0);
    assert_int_equal(p->i.epoll_wait(p->i.userdata, epoll, &got, 1, 0), 0);
    send_segment(p, F_ACK | F_PSH, 1, 1, 10);
    assert_int_equal(p->i.epoll_wait(p->i.userdata, epoll, &got, 1, 0), 1);
    assert_int_equal(got.data.fd, fd);
    assert_int_equal(p->i.epoll_wait(p->i.userdata, epoll, &got, 1, 10), 0);
    send_segment(p, F_ACK | F_PSH, 11, 1, 10); /* the first ten have not been read */
    assert_int_equal(p->i.epoll_wait(p->i.userdata, epoll, &got, 1, 0), 1);
    assert_int_equal(p->i.epoll_wait(p->i.userdata, epoll, &got, 1, 0), 0);
    assert_int_equal(p->i.close(p->i.userdata, epoll), 0);
}

/* What the stack chose as its first sequence number, in a process that plays the handshake. */
static uint32_t iss_of_a_run(void)
{
    uint32_t iss = 0;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        void *state;

        play_setup(&state);
        accepted(state);
        _exit(write(ends[1], &((struct play *)state)->own_iss, sizeof iss) != sizeof iss);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &iss, sizeof iss), sizeof iss);
    close(ends[0]);
    return iss;
}

static void two_runs_are_the_same(void **state)
{
    (void)state;
    assert_int_equal(iss_of_a_run(), iss_of_a_run());
}

static void a_socket_that_the_c_library_closed_gives_its_descriptor_back(void **state)
{
    struct play *p = *state;
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_int_equal(close(fd), 0); /* as packetdrill does with what a script leaves open */
    assert_int_equal(listener(p), fd);
}

static void waiting_for_a_packet_that_never_comes_ends(void **state)
{
    struct play *p = *state;
    uint8_t packet[100];
    size_t bytes = sizeof packet;
    long long time_us;

    assert_int_equal(p->i.netdev_receive(p->i.userdata, packet, &bytes, &time_us), -1);
    assert_int_equal(errno, ETIMEDOUT);
}

static void *tell_and_accept(void *argument)
{
    struct call *call = argument;

    __atomic_store_n(&call->result, (ssize_t)gettid(), __ATOMIC_RELEASE);
    return accept_one(argument);
}

/* 'R' runs, 'S' sleeps: the letter behind the name in /proc/self/task/TID/stat. */
static char state_of(long thread)
{
    char path[64], text[256] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return strrchr(text, ')')[2];
}

/* Returns the thread, which has told its number. */
static long wait_until_asleep(const struct call *call)
{
    long thread = 0, looks = 0;

    while ((thread = __atomic_load_n(&call->result, __ATOMIC_ACQUIRE)) == 0 || state_of(thread) != 'S') {
        assert_true(++looks < 10000);
        usleep(100);
    }
    return thread;
}

/* packetdrill looks there to learn that a call blocks. */
static void a_call_that_blocks_sleeps_in_the_eyes_of_the_system(void **state)
{
    struct play *p = *state;
    struct call call = {.p = p, .fd = listener(p)};

    begin(&call, tell_and_accept);

    long thread = wait_until_asleep(&call);

    p->i.usleep(p->i.userdata, 1000000); /* and it goes on sleeping while time passes */
    assert_int_equal(state_of(thread), 'S');
    send_segment(p, F_SYN, 0, 0, 0);
    expect_segment(p, F_SYN | F_ACK, 0, 0);
    send_segment(p, F_ACK, 1, 1, 0);
    assert_true(end(&call) > 2);
}

static void *read_and_look_later(void *argument)
{
    struct call *call = argument;
    struct timeval now;

    __atomic_store_n(&call->result, (ssize_t)gettid(), __ATOMIC_RELEASE);
    read_some(call);
    usleep(1000); /* real ones */
    call->p->i.gettimeofday(call->p->i.userdata, &now, NULL);
    call->result = now.tv_sec * 1000000 + now.tv_usec;
    return NULL;
}

/* The system may say that the thread sleeps before it does so in the call, which then returns at once: again. */
static void the_clock_waits_for_who_wants_to_know_when_a_call_ended(void **state)
{
    struct play *p = *state;
    long long late_us = LLONG_MAX;
    int fd = accepted(p);

    for (uint32_t round = 0; round < 20 && late_us > 1000; round++) {
        struct call call = {.p = p, .fd = fd};
        struct timeval sent;

        begin(&call, read_and_look_later);
        wait_until_asleep(&call);
        p->i.gettimeofday(p->i.userdata, &sent, NULL);
        send_segment(p, F_ACK | F_PSH, 1 + round * 1000, 1, 1000);
        p->i.usleep(p->i.userdata, 1000000);
        late_us = end(&call) - sent.tv_sec * 1000000LL - sent.tv_usec;
    }
    assert_in_range(late_us, 0, 1000);
}

static void option_numbers_are_those_of_linux(void **state)
{
    struct play *p = *state;
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP), on = 1, value = 0;
    socklen_t bytes = sizeof value;

    assert_int_equal(p->i.setsockopt(p->i.userdata, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(p->i.getsockopt(p->i.userdata, fd, IPPROTO_TCP, TCP_NODELAY, &value, &bytes), 0);
    assert_int_equal(value, 1);
    assert_int_equal(p->i.getsockopt(p->i.userdata, fd, SOL_SOCKET, SO_TYPE, &value, &bytes), 0);
    assert_int_equal(value, SOCK_STREAM);
}

static void a_call_without_a_buffer_is_told_so(void **state)
{
    struct play *p = *state;
    int fd = accepted(p);

    assert_int_equal(p->i.send(p->i.userdata, fd, NULL, 1, 0), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(p->i.recv(p->i.userdata, fd, NULL, 1, 0), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(p->i.setsockopt(p->i.userdata, fd, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof(int)), -1);
    assert_int_equal(errno, EFAULT);
}

static void the_queue_of_errors_is_empty(void **state)
{
    struct play *p = *state;
    char data[10];
    int fd = accepted(p);

    send_segment(p, F_ACK | F_PSH, 1, 1, sizeof data);
    assert_int_equal(p->i.recv(p->i.userdata, fd, data, sizeof data, MSG_ERRQUEUE), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(p->i.recv(p->i.userdata, fd, data, sizeof data, 0), sizeof data);
}

static void reno_is_the_name_of_newreno(void **state)
{
    struct play *p = *state;
    char name[16] = "";
    socklen_t bytes = sizeof name;
    int fd = accepted(p);

    assert_int_equal(p->i.setsockopt(p->i.userdata, fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    assert_int_equal(p->i.getsockopt(p->i.userdata, fd, IPPROTO_TCP, TCP_CONGESTION, name, &bytes), 0);
    assert_string_equal(name, "reno");
}

/* As packetdrill's %{ }% asks, when the object is preloaded. */
static void the_getsockopt_of_the_c_library_tells_of_a_connection_in_segments(void **state)
{
    struct play *p = *state;
    static char data[1000];
    int fd = accepted(p), (*ask)(int, int, int, void *, socklen_t *), other = socket(AF_INET, SOCK_DGRAM, 0), type = 0;
    struct tcp_info info;
    socklen_t bytes = sizeof info, type_bytes = sizeof type, memory_bytes = sizeof data;

    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);
    *(void **)&ask = play_symbol("getsockopt");
    assert_int_equal(ask(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
    assert_int_equal(info.tcpi_snd_mss, 536); /* the peer said none */
    assert_int_equal(info.tcpi_snd_cwnd, 10);
    assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
    assert_int_equal(info.tcpi_unacked, 2);
    assert_int_equal(ask(fd, SOL_SOCKET, SO_MEMINFO, data, &memory_bytes), 0);
    assert_int_equal(ask(other, SOL_SOCKET, SO_TYPE, &type, &type_bytes), 0); /* not one of the stack's */
    assert_int_equal(type, SOCK_DGRAM);
    close(other);
}

static void a_bad_flag_is_refused(void **state)
{
    struct packetdrill_interface interface;
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        close(STDERR_FILENO);
        play_load()("profile=solaris", &interface);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST_PLAY(a_blocking_accept_returns_with_the_handshake),
        TEST_PLAY(a_blocking_read_returns_with_the_data),
        TEST_PLAY(the_clock_waits_for_who_wants_to_know_when_a_call_ended),
        TEST_PLAY(a_segment_may_be_larger_than_the_mtu_where_there_is_no_wire),
        TEST_PLAY(ioctl_tells_what_is_queued_either_way),
        TEST_PLAY(a_connection_opens_to_the_peer),
        TEST_PLAY(a_lost_segment_comes_again_in_virtual_time),
        TEST_PLAY(a_transfer_with_loss_arrives_whole),
        TEST_PLAY(both_sides_close),
        TEST_PLAY(looking_at_the_clock_lets_time_pass),
        TEST_PLAY(an_answer_takes_its_time_only_where_there_is_a_wire),
        TEST_PLAY(epoll_reports_what_is_new),
        cmocka_unit_test(two_runs_are_the_same),
        TEST_PLAY(a_socket_that_the_c_library_closed_gives_its_descriptor_back),
        TEST_PLAY(waiting_for_a_packet_that_never_comes_ends),
        TEST_PLAY(a_call_that_blocks_sleeps_in_the_eyes_of_the_system),
        TEST_PLAY(option_numbers_are_those_of_linux),
        TEST_PLAY(a_call_without_a_buffer_is_told_so),
        TEST_PLAY(the_queue_of_errors_is_empty),
        TEST_PLAY(reno_is_the_name_of_newreno),
        TEST_PLAY(the_getsockopt_of_the_c_library_tells_of_a_connection_in_segments),
        cmocka_unit_test(a_bad_flag_is_refused),
    };

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s SHARED_OBJECT [FLAGS]\n", argv[0]);
        return 2;
    }
    return play_all(tests, sizeof tests / sizeof *tests, argv[1], argv[2]);
}
