/* SPDX-License-Identifier: Apache-2.0 */
/* The stack's end of a transfer with the kernel, for link.py: a host on a TAP device that serves each connection
 * to its port, and each that it opens to 192.0.2.1 for a line "PORT" on its standard input, one request:
 *
 *   "take N\n" and N octets   answers with their SHA-256 in hexadecimal
 *   "give N\n"                sends N octets, then their SHA-256
 *
 * and closes at the peer's end of stream. Ends with its standard input and then prints the stack's counters.
 */
#include "lanyard/bulk.h"
#include "lanyard/posix.h"
#include "lanyard/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAMS = 1024, CHUNK = 8192, STEPS = 32, REQUEST = 32, DIGEST = 64, PORT = 5001 };

struct stream {
    struct lan_source source;
    struct stream *next_free;
    EVP_MD_CTX *hash;
    uint64_t total, moved; /* octets of the request */
    char text[DIGEST + 1]; /* the request as far as it has come, then the digest */
    unsigned text_bytes, text_sent;
    enum { CONNECTING, REQUESTED, TAKING, GIVING, ANSWERING, CLOSING } phase;
};

static const uint8_t MAC[6] = {0x02, 0, 0, 0, 0, 0x02};
static struct lan_stack *stack;
static struct lan_loop loop;
static struct lan_tap tap;
static struct lan_acceptor acceptor;
static struct stream streams[STREAMS], *free_streams;

static void frames(void *arg)
{
    (void)arg;
    lan_tap_receive(&tap);
}

static void release(struct stream *s)
{
    int fd = s->source.fd;

    lan_loop_remove(&s->source);
    lan_close(stack, fd);
    EVP_MD_CTX_free(s->hash);
    s->next_free = free_streams;
    free_streams = s;
    lan_acceptor_release(&acceptor);
}

static void answer(struct stream *s)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    EVP_DigestFinal_ex(s->hash, digest, NULL);
    for (int i = 0; i < DIGEST / 2; i++)
        snprintf(s->text + 2 * i, 3, "%02x", digest[i]);
    s->text_bytes = DIGEST;
    s->text_sent = 0;
    s->phase = ANSWERING;
}

/* One octet of the request at a time, so that none of what follows is taken. */
static long read_request(struct stream *s)
{
    long n = lan_recv(stack, s->source.fd, s->text + s->text_bytes, 1, 0);

    if (n <= 0)
        return n;
    if (s->text[s->text_bytes++] != '\n')
        return s->text_bytes < REQUEST ? n : -EPROTO;
    s->text[s->text_bytes] = 0;
    s->total = strtoull(s->text + 5, NULL, 10);
    s->phase = strncmp(s->text, "take ", 5) == 0 ? TAKING : GIVING;
    if (s->phase == GIVING)
        lan_source_events(&s->source, LAN_POLLOUT);
    return n;
}

static long take(struct stream *s)
{
    uint8_t chunk[CHUNK];
    long n = 0;

    if (s->moved < s->total) {
        n = lan_recv(stack, s->source.fd, chunk, sizeof chunk, 0);
        if (n <= 0)
            return n;
        EVP_DigestUpdate(s->hash, chunk, (size_t)n);
        s->moved += (uint64_t)n;
    }
    if (s->moved == s->total) {
        answer(s);
        lan_source_events(&s->source, LAN_POLLOUT);
    }
    return 1;
}

static long give(struct stream *s)
{
    uint8_t chunk[CHUNK];
    uint64_t left = s->total - s->moved;
    size_t bytes = left < CHUNK ? (size_t)left : CHUNK;

    if (bytes == 0) {
        answer(s);
        return 1;
    }
    lan_bulk_pattern(s->total, s->moved, chunk, bytes);

    long n = lan_send(stack, s->source.fd, chunk, bytes, 0);

    if (n > 0) {
        EVP_DigestUpdate(s->hash, chunk, (size_t)n);
        s->moved += (uint64_t)n;
    }
    return n;
}

static long send_answer(struct stream *s)
{
    if (s->text_sent == s->text_bytes) {
        s->phase = CLOSING;
        lan_source_events(&s->source, LAN_POLLIN);
        return 1;
    }

    long n = lan_send(stack, s->source.fd, s->text + s->text_sent, s->text_bytes - s->text_sent, 0);

    if (n > 0)
        s->text_sent += (unsigned)n;
    return n;
}

static long step(struct stream *s)
{
    switch (s->phase) {
    case CONNECTING:
        s->phase = REQUESTED;
        lan_source_events(&s->source, LAN_POLLIN);
        return 1;
    case REQUESTED:
        return read_request(s);
    case TAKING:
        return take(s);
    case GIVING:
        return give(s);
    case ANSWERING:
        return send_answer(s);
    default:
        return lan_recv(stack, s->source.fd, s->text, 1, 0);
    }
}

static void ready(struct lan_source *source, int events)
{
    struct stream *s = (struct stream *)source;
    long result = events & LAN_POLLERR ? 0 : 1;

    for (int steps = 0; result > 0 && steps < STEPS; steps++)
        result = step(s);
    if (result > 0)
        lan_source_yield(source);
    else if (result != -EAGAIN)
        release(s);
}

static void adopt(int fd, bool connecting)
{
    struct stream *s = free_streams;

    free_streams = s->next_free;
    *s = (struct stream){.phase = connecting ? CONNECTING : REQUESTED, .hash = EVP_MD_CTX_new()};
    EVP_DigestInit_ex(s->hash, EVP_sha256(), NULL);
    lan_loop_add(&loop, &s->source, fd, connecting ? LAN_POLLOUT : LAN_POLLIN, ready);
}

static void accepted(struct lan_acceptor *from, int fd)
{
    (void)from;
    adopt(fd, false);
}

static void open_to(uint16_t port)
{
    struct lan_sockaddr_in peer = {
        .sin_family = LAN_AF_INET, .sin_port = htons(port), .sin_addr = inet_addr("192.0.2.1")};
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);

    if (fd < 0 || !free_streams || lan_connect(stack, fd, &peer) != -EINPROGRESS)
        exit(1);
    acceptor.room--; /* releasing any stream makes room for one */
    adopt(fd, true);
}

/* Whole lines or parts of them, as they come. */
static void commands(void *arg)
{
    static unsigned port;
    char text[64];
    long n = read(0, text, sizeof text);

    (void)arg;
    if (n <= 0)
        lan_loop_stop(&loop);
    for (long i = 0; i < n; i++) {
        if (text[i] != '\n') {
            port = 10 * port + (unsigned)(text[i] - '0');
            continue;
        }
        open_to((uint16_t)port);
        port = 0;
    }
}

static void print_counters(void)
{
    static struct lan_counter counters[256];
    size_t count = lan_stack_counters(stack, counters, 256);

    printf("{");
    for (size_t i = 0; i < count; i++)
        printf("%s\"%s\": %llu", i ? ", " : "", counters[i].name, (unsigned long long)counters[i].value);
    printf("}\n");
}

/* `window`: bytes of each socket's buffers, which never change; 0: what a server would have. */
static int start(const char *device, int mtu, uint32_t window, struct lan_posix *posix)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;

    config.sockets = STREAMS + 8;
    config.tcp_connections = 16384; /* most of them in TIME-WAIT */
    config.pool.buffers = 16384;
    config.pool.views = 32768;
    config.tcp_ecn = LAN_TCP_ECN_ON;
    config.send_buffer_bytes = config.receive_buffer_bytes = window ? window : 262144;
    if (window)
        config.send_buffer_max_bytes = config.receive_buffer_max_bytes = 0;

    size_t bytes = (lan_stack_size(&config) + 63) & ~(size_t)63;

    stack = lan_stack_create(aligned_alloc(64, bytes), bytes, lan_posix_port(posix), &config);

    int result = lan_tap_open(&tap, device, MAC, lan_stack_pool(stack));

    if (result < 0)
        return result;
    tap.netif.mtu = (uint16_t)mtu;
    lan_posix_attach(posix, stack);
    lan_posix_watch(posix, tap.fd, frames, NULL);
    lan_posix_watch(posix, 0, commands, NULL);
    lan_stack_add_netif(stack, &tap.netif);
    lan_netif_set_address(&tap.netif, inet_addr("192.0.2.2"), inet_addr("255.255.255.0"));
    lan_loop_init(&loop, stack, lan_posix_port(posix));
    for (int i = STREAMS; i-- > 0;) {
        streams[i].next_free = free_streams;
        free_streams = &streams[i];
    }
    return lan_acceptor_open(&acceptor, &loop, PORT, 1024, STREAMS - 8, accepted);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: stack_end DEVICE MTU [WINDOW_BYTES]\n");
        return 2;
    }

    uint32_t window = argc == 4 ? (uint32_t)atol(argv[3]) : 0;
    int result = start(argv[1], atoi(argv[2]), window, lan_posix_create());

    if (result < 0) {
        fprintf(stderr, "stack_end: %s: %s\n", argv[1], strerror(-result));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    lan_loop_run(&loop);
    print_counters();
    return 0;
}
