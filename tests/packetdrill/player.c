/* SPDX-License-Identifier: Apache-2.0 */
#include "player.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define OWN ADDRESS(192, 168, 0, 1)

static const char *object, *flags;

void *play_symbol(const char *name)
{
    void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL), *symbol;

    if (!handle)
        fail_msg("%s", dlerror());
    symbol = dlsym(handle, name);
    assert_non_null(symbol);
    return symbol;
}

void (*play_load(void))(const char *, struct packetdrill_interface *)
{
    void (*init)(const char *, struct packetdrill_interface *);

    *(void **)&init = play_symbol("packetdrill_interface_init");
    return init;
}

bool play_has_flag(const char *flag)
{
    return flags && strstr(flags, flag) != NULL;
}

int play_setup(void **state)
{
    static struct play play;

    play = (struct play){.peer_port = PEER_PORT, .own_port = SERVER_PORT};
    play_load()(flags, &play.i);
    *state = &play;
    return 0;
}

int play_teardown(void **state)
{
    struct play *p = *state;

    p->i.free(p->i.userdata);
    return 0;
}

void send_segment_with(struct play *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes, const void *options,
                       uint32_t option_bytes)
{
    static struct frame frame;
    uint8_t tcp[60 + SEGMENT_MOST] = {0};
    uint32_t header = 20 + option_bytes;

    put16(tcp, p->peer_port);
    put16(tcp + 2, p->own_port);
    put32(tcp + 4, htonl(seq));
    put32(tcp + 8, htonl(p->own_iss + ack));
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    if (option_bytes)
        memcpy(tcp + 20, options, option_bytes);
    memset(tcp + header, 'x', bytes);
    frame_ip(&frame, PEER, OWN, PROTOCOL_TCP, tcp, header + bytes);
    fix_l4(&frame);
    assert_int_equal(p->i.netdev_send(p->i.userdata, frame.bytes + ETH, frame.len - ETH), 0);
}

void send_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    send_segment_with(p, flags, seq, ack, bytes, NULL, 0);
}

struct seen next_segment(struct play *p)
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
    seen.option_bytes = header - 20;
    memcpy(seen.options, tcp + 20, seen.option_bytes);
    seen.bytes = get16(packet + 2) - (uint32_t)(tcp - packet) - header;
    if (seen.flags & F_SYN)
        p->own_iss = seen.seq;
    seen.seq -= p->own_iss;
    return seen;
}

struct seen expect_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t bytes)
{
    struct seen seen = next_segment(p);

    assert_int_equal(seen.flags & ~F_PSH, flags);
    assert_int_equal(seen.seq, seq);
    assert_int_equal(seen.bytes, bytes);
    return seen;
}

struct sockaddr_in at(uint32_t address, uint16_t number)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = address};
}

int listener(struct play *p)
{
    struct sockaddr_in own = at(INADDR_ANY, SERVER_PORT);
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_true(fd > 2);
    assert_int_equal(p->i.bind(p->i.userdata, fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(p->i.listen(p->i.userdata, fd, 1), 0);
    return fd;
}

void *accept_one(void *argument)
{
    struct call *call = argument;

    call->result = call->p->i.accept(call->p->i.userdata, call->fd, NULL, NULL);
    return NULL;
}

void *read_some(void *argument)
{
    struct call *call = argument;

    call->result = call->p->i.read(call->p->i.userdata, call->fd, call->data, sizeof call->data);
    return NULL;
}

/* Whether the thread sleeps cannot be seen from here; where it does not yet, the packet is there before the call. */
void begin(struct call *call, void *(*body)(void *))
{
    assert_int_equal(pthread_create(&call->thread, NULL, body, call), 0);
}

ssize_t end(struct call *call)
{
    pthread_join(call->thread, NULL);
    return call->result;
}

int accepted(struct play *p)
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

int connecting(struct play *p, struct seen *syn)
{
    struct sockaddr_in peer = at(PEER, PEER_PORT);
    int fd = p->i.socket(p->i.userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

    assert_int_equal(p->i.connect(p->i.userdata, fd, (struct sockaddr *)&peer, sizeof peer), -1);
    assert_int_equal(errno, EINPROGRESS);
    *syn = expect_segment(p, F_SYN, 0, 0);
    return fd;
}

int play_all(const struct CMUnitTest *tests, size_t count, const char *the_object, const char *the_flags)
{
    int failed = 0;

    object = the_object;
    flags = the_flags;
    for (size_t i = 0; i < count; i++) {
        int status;
        pid_t child = fork();

        if (child == 0)
            exit(_cmocka_run_group_tests(tests[i].name, &tests[i], 1, NULL, NULL));
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
            failed++;
    }
    printf("%zu tests, %d failed\n", count, failed);
    return failed != 0;
}
