/* SPDX-License-Identifier: Apache-2.0 */
/* driver_bench MODE PACKETS: hands large TCP packets of 64,000 bytes of payload down, as TCP makes them, and lets them
 * be sent by a card that takes no time. MODE is tso (the card cuts them), no-tso (the stack does), or build (they are
 * made and given up: what the two others spend besides). Prints what the card saw, as JSON; instructions are counted
 * from outside.
 */
#include "instant_card.h"
#include "lanyard/nic.h"
#include "lanyard/stack.h"
#include "netif_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETH = 14, IP = 20, TCP = 32 /* with time stamps */, HEADERS = ETH + IP + TCP, PAYLOAD = 64000, MSS = 1448 };
enum { BUFFER_BYTES = 2048, QUEUE_BUFFERS = (PAYLOAD + BUFFER_BYTES - 1) / BUFFER_BYTES };

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return 0;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    memset(out, 1, bytes);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    (void)ctx, (void)deadline_ns;
}

static const struct lan_port PORT = {.now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm};

static struct lan_buf *send_queue[QUEUE_BUFFERS];

static void fill_send_queue(struct lan_pool *pool)
{
    for (uint32_t i = 0, left = PAYLOAD; i < QUEUE_BUFFERS; i++) {
        uint32_t bytes = left < BUFFER_BYTES ? left : BUFFER_BYTES;
        send_queue[i] = lan_buf_alloc(pool, 0);
        lan_buf_put(send_queue[i], bytes);
        left -= bytes;
    }
}

static struct lan_buf *large_packet(struct lan_pool *pool)
{
    static const uint8_t FIXED[] = {8,    0, 0x45, 0, (IP + TCP + PAYLOAD) >> 8, (IP + TCP + PAYLOAD) & 0xff, 0, 0,
                                    0x40, 0, 64,   6};
    struct lan_buf *packet = lan_buf_alloc(pool, 2), **end = &packet->next;
    uint8_t *frame = lan_buf_put(packet, HEADERS);
    memset(frame, 0, HEADERS);
    memcpy(frame + ETH - 2, FIXED, sizeof FIXED);
    frame[ETH + IP + 12] = TCP / 4 << 4;
    packet->flags = LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | LAN_BUF_TSO;
    packet->csum_start = ETH + IP;
    packet->csum_offset = 16;
    packet->hdr_len = HEADERS;
    packet->gso_size = MSS;
    for (uint32_t i = 0; i < QUEUE_BUFFERS; i++) {
        *end = lan_buf_view(send_queue[i], 0, send_queue[i]->len);
        end = &(*end)->next;
    }
    return packet;
}

static int usage(void)
{
    fputs("usage: driver_bench tso|no-tso|build PACKETS\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const char *const MODES[] = {"tso", "no-tso", "build"};
    enum { TSO, NO_TSO, BUILD, COUNT } mode = TSO;
    while (argc == 3 && mode < COUNT && strcmp(argv[1], MODES[mode]) != 0)
        mode++;
    if (argc != 3 || mode == COUNT)
        return usage();

    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool = (struct lan_pool_config){.buffers = 512, .buffer_bytes = BUFFER_BYTES, .views = 512};
    size_t stack_bytes = (lan_stack_size(&config) + 63) / 64 * 64;
    size_t bytes = (stack_bytes + lan_nic_size(&LAN_NIC_CONFIG_DEFAULT) + 63) / 64 * 64;
    uint8_t *memory = aligned_alloc(64, bytes);
    struct lan_stack *stack = lan_stack_create(memory, stack_bytes, &PORT, &config);
    struct lan_pool *pool = lan_stack_pool(stack);

    struct instant_card card;
    instant_card_init(&card, memory);
    int error = 0;
    struct lan_nic *nic = lan_nic_create(memory + stack_bytes, &card.bus, pool, &LAN_NIC_CONFIG_DEFAULT, &error);
    if (!nic || lan_stack_add_netif(stack, lan_nic_netif(nic)) < 0) {
        fprintf(stderr, "driver_bench: the driver did not start: error %d\n", -error);
        return 1;
    }
    if (mode == NO_TSO)
        lan_nic_set_features(nic, lan_nic_features(nic) & ~(uint32_t)LAN_NETIF_TSO);

    fill_send_queue(pool);
    for (long left = atol(argv[2]); left > 0; left--) {
        struct lan_buf *packet = large_packet(pool);
        if (mode == BUILD) {
            lan_buf_free(packet);
            continue;
        }
        lan_netif_transmit(lan_nic_netif(nic), packet);
        lan_nic_interrupt(nic);
    }
    printf("{\"frames\": %llu, \"descriptors\": %llu, \"bytes\": %llu, \"payload\": %lld, \"refused\": %llu}\n",
           (unsigned long long)card.frames, (unsigned long long)card.descriptors, (unsigned long long)card.bytes,
           atoll(argv[2]) * PAYLOAD, (unsigned long long)lan_nic_counters(nic)->tx_refused);
    free(memory);
    return 0;
}
