/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the part of packetdrill: loads the shared object, makes calls on a second thread where they block, and sends
 * and receives IP packets. The peer is 192.0.2.1, the stack 192.168.0.1. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmocka_all.h"
#include "frames.h"
#include "interface.h"

#define OWN ADDRESS(192, 168, 0, 1)

enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16 };
enum { SERVER_PORT = 8080, PEER_PORT = 40000, SEGMENT = 1460 };

static const char *object;

struct play {
    void *handle;
    struct packetdrill_interface i;
    uint16_t peer_port, own_port;
    uint32_t own_iss; /* the stack's first sequence number; the peer's is 0 */
};

struct seen {
    uint8_t flags;
    uint32_t seq, ack, bytes; /* seq relative */
    uint16_t options;
    long long time_us;
};

static void (*entry(void *handle))(const char *, struct packetdrill_interface *)
{
    void (*init)(const char *, struct packetdrill_interface *);

    *(void **)&init = dlsym(handle, "packetdrill_interface_init");
    assert_non_null(init);
    return init;
}

static int setup(void **state)
{
    static struct play play;

    play = (struct play){.peer_port = PEER_PORT, .own_port = SERVER_PORT};
    play.handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (!play.handle)
        fail_msg("%s", dlerror());
    entry(play.handle)(NULL, &play.i);
    *state = &play;
    return 0;
}

static int teardown(void **state)
{
    struct play *p = *state;

    p->i.free(p->i.userdata);
    dlclose(p->handle);
    return 0;
}

static void send_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    static struct frame frame;
    uint8_t tcp[20 + SEGMENT] = {0};

    put16(tcp, p->peer_port);
    put16(tcp + 2, p->own_port);
    put32(tcp + 4, htonl(seq));
    put32(tcp + 8, htonl(p->own_iss + ack));
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    memset(tcp + 20, 'x', bytes);
    frame_ip(&frame, PEER, OWN, PROTOCOL_TCP, tcp, 20 + bytes);
    fix_l4(&frame);
    assert_int_equal(p->i.netdev_send(p->i.userdata, frame.bytes + ETH, frame.len - ETH), 0);
}

static struct seen next_segment(struct play *p)
{
    uint8_t packet[2000];
    size_t bytes = sizeof packet;
    struct seen seen = {0};

    assert_int_equal(p->i.netdev_receive(p->i.userdata, packet, &bytes, &seen.time_us), 0);
    assert_int_equal(packet[0] >> 4, 4);
    assert_int_equal(get32(packet + 16), PEER);

    const uint8_t *tcp = packet + (packet[0] & 15) * 4;
    uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;

    p->own_port = get16(tcp);
    seen.flags = tcp[13] & 0x3f;
    seen.seq = ntohl(get32(tcp + 4));
    seen.ack = ntohl(get32(tcp + 8));
    seen.options = (uint16_t)(header - 20);
    seen.bytes = get16(packet + 2) - (uint32_t)(tcp - packet) - header;
    if (seen.flags & F_SYN)
        p->own_iss = seen.seq;
    seen.seq -= p->own_iss;
    return seen;
}

static struct seen expect_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t bytes)
{
    struct seen seen = next_segment(p);

    assert_int_equal(seen.flags & ~F_PSH, flags);
    assert_int_equal(seen.seq, seq);
    assert_int_equal(seen.bytes, bytes);
    return seen;
}

static struct sockaddr_in at(uint32_t address, uint16_t number)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = address};
}

static int listener(struct play *p)
{
    struct sockaddr_in own = at(INADDR_ANY, SERVER_PORT);
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_true(fd > 2);
    assert_int_equal(p->i.bind(p->i.userdata, fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(p->i.listen(p->i.userdata, fd, 1), 0);
    return fd;
}

/* A call that blocks, on a thread of its own. */
struct call {
    struct play *p;
    pthread_t thread;
    int fd;
    ssize_t result;
    char data[4096];
};

static void *accept_one(void *argument)
{
    struct call *call = argument;

    call->result = call->p->i.accept(call->p->i.userdata, call->fd, NULL, NULL);
    return NULL;
}

static void *read_some(void *argument)
{
    struct call *call = argument;

    call->result = call->p->i.read(call->p->i.userdata, call->fd, call->data, sizeof call->data);
    return NULL;
}

/* Whether the thread sleeps cannot be seen from here; where it does not yet, the packet is there before the call. */
static void begin(struct call *call, void *(*body)(void *))
{
    assert_int_equal(pthread_create(&call->thread, NULL, body, call), 0);
}

static ssize_t end(struct call *call)
{
    pthread_join(call->thread, NULL);
    return call->result;
}

static int accepted(struct play *p)
{
    struct call call = {.p = p, .fd = listener(p)};

    begin(&call, accept_one);
    send_segment(p, F_SYN, 0, 0, 0);
    expect_segment(p, F_SYN | F_ACK, 0, 0);
    send_segment(p, F_ACK, 1, 1, 0);

    int fd = (int)end(&call);

    assert_true(fd > 2);
    return fd;
}

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

static void a_connection_opens_to_the_peer(void **state)
{
    struct play *p = *state;
    struct sockaddr_in peer = at(PEER, PEER_PORT);
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP), error = -1;
    socklen_t bytes = sizeof error;

    assert_int_equal(p->i.connect(p->i.userdata, fd, (struct sockaddr *)&peer, sizeof peer), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_true(expect_segment(p, F_SYN, 0, 0).options >= 4);
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
    assert_int_equal(p->i.close(p->i.userdata, epoll), 0);
}

static void two_runs_are_the_same(void **state)
{
    struct play *p = *state, first;
    void *again = p;

    accepted(p);
    first = *p;
    teardown(&again);
    setup(&again);
    *state = again;
    accepted(again);
    assert_int_equal(((struct play *)again)->own_iss, first.own_iss);
}

static void a_bad_flag_is_refused(void **state)
{
    struct play *p = *state;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct packetdrill_interface interface;

        close(STDERR_FILENO);
        entry(p->handle)("profile=solaris", &interface);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_blocking_accept_returns_with_the_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blocking_read_returns_with_the_data, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_opens_to_the_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_segment_comes_again_in_virtual_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transfer_with_loss_arrives_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(both_sides_close, setup, teardown),
        cmocka_unit_test_setup_teardown(looking_at_the_clock_lets_time_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(epoll_reports_what_is_new, setup, teardown),
        cmocka_unit_test_setup_teardown(two_runs_are_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_flag_is_refused, setup, teardown),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: %s SHARED_OBJECT\n", argv[0]);
        return 2;
    }
    object = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
