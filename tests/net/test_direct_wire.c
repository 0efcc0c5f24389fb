/* SPDX-License-Identifier: Apache-2.0 */
/* Two stacks on a wire without delay: what one sends is handed to the other before its driver returns, and so is what
 * the other answers. */
#include "cmocka_all.h"

#include "lanyard/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 2, PORT = 0x5000 /* 80 */, BYTES = 1000000 };
#define MS UINT64_C(1000000)

struct wired_host {
    struct lan_stack *stack;
    struct lan_netif netif;
    struct lan_port port;
    void *memory;
    struct wired_host *peer;
    uint64_t *now_ns, alarm_ns;
};

static uint64_t now(void *ctx)
{
    return *((struct wired_host *)ctx)->now_ns;
}

static void fill(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    memset(out, 7, bytes);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    ((struct wired_host *)ctx)->alarm_ns = deadline_ns;
}

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct wired_host *peer = ((struct wired_host *)netif->driver)->peer;
    uint32_t bytes = lan_buf_total(frame);
    struct lan_buf *copy = peer->stack ? lan_buf_alloc(lan_stack_pool(peer->stack), 2) : NULL;
    if (copy) {
        lan_buf_copy(frame, 0, lan_buf_put(copy, bytes), bytes);
        lan_netif_input(&peer->netif, copy);
    }
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops OPS = {.transmit = transmit};

static uint32_t network_order(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    uint32_t address;
    memcpy(&address, (uint8_t[]){a, b, c, d}, sizeof address);
    return address;
}

static void create(struct wired_host *host, struct wired_host *peer, uint64_t *now_ns, uint8_t number)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    *host = (struct wired_host){.peer = peer, .now_ns = now_ns, .alarm_ns = LAN_NEVER};
    host->port = (struct lan_port){.ctx = host, .now_ns = now, .random = fill, .set_alarm = set_alarm};
    host->memory = aligned_alloc(64, (lan_stack_size(&config) + 63) & ~(size_t)63);
    host->stack = lan_stack_create(host->memory, lan_stack_size(&config), &host->port, &config);
    assert_non_null(host->stack);
    host->netif = (struct lan_netif){.ops = &OPS, .driver = host, .name = "w0", .mtu = 1500, .link_up = true};
    memcpy(host->netif.mac, (uint8_t[]){2, 0, 0, 0, 0, number}, 6);
    assert_int_equal(lan_stack_add_netif(host->stack, &host->netif), 0);
    assert_int_equal(
        lan_netif_set_address(&host->netif, network_order(192, 0, 2, number), network_order(255, 255, 255, 0)), 0);
}

/* A millisecond, in which each host does what it asked for. */
static void step(struct wired_host hosts[HOSTS])
{
    *hosts[0].now_ns += MS;
    for (int turn = 0; turn < 100; turn++)
        for (int i = 0; i < HOSTS; i++)
            if (hosts[i].alarm_ns <= *hosts[0].now_ns)
                lan_stack_poll(hosts[i].stack);
}

static long moved(long result)
{
    return result > 0 ? result : 0;
}

static void frames_that_arrive_during_a_transmission_wait_for_its_end(void **state)
{
    static uint8_t sent[BYTES], received[BYTES], again[BYTES];
    static struct wired_host hosts[HOSTS];
    uint64_t now_ns = 1000 * MS;
    (void)state;
    create(&hosts[0], &hosts[1], &now_ns, 1);
    create(&hosts[1], &hosts[0], &now_ns, 2);
    for (int i = 0; i < BYTES; i++)
        sent[i] = (uint8_t)(i * 7 >> 3);

    struct lan_stack *client = hosts[0].stack, *server = hosts[1].stack;
    struct lan_sockaddr_in any = {.sin_family = LAN_AF_INET, .sin_port = PORT}, peer = any;
    peer.sin_addr = network_order(192, 0, 2, 2);
    int listener = lan_socket(server, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_bind(server, listener, &any), 0);
    assert_int_equal(lan_listen(server, listener, 1), 0);
    int from = lan_socket(client, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_connect(client, from, &peer), -EINPROGRESS);
    int to;
    for (int ms = 0; (to = lan_accept(server, listener, NULL, LAN_SOCK_NONBLOCK)) < 0; ms++) {
        assert_in_range(ms, 0, 100);
        step(hosts);
    }

    long out = 0, in = 0, echoed = 0, back = 0;
    for (int ms = 0; back < BYTES; ms++) { /* there, and back again */
        assert_in_range(ms, 0, 2000);
        out += moved(lan_send(client, from, sent + out, (size_t)(BYTES - out), 0));
        in += moved(lan_recv(server, to, received + in, (size_t)(BYTES - in), 0));
        echoed += moved(lan_send(server, to, received + echoed, (size_t)(in - echoed), 0));
        back += moved(lan_recv(client, from, again + back, (size_t)(BYTES - back), 0));
        step(hosts);
    }
    assert_memory_equal(sent, again, BYTES);
    assert_int_equal(lan_stack_counter(client, "TcpExtTCPTimeouts") + lan_stack_counter(server, "TcpExtTCPTimeouts"),
                     0);

    assert_int_equal(lan_close(client, from), 0);
    step(hosts);
    assert_int_equal(lan_close(server, to), 0);
    assert_int_equal(lan_close(server, listener), 0);
    for (int i = 0; i < HOSTS; i++)
        free(hosts[i].memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(frames_that_arrive_during_a_transmission_wait_for_its_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
