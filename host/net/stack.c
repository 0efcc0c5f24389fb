/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/stack.h"
#include "stack_internal.h"
#include "tcp.h"

#include <assert.h>

const struct lan_config LAN_CONFIG_DEFAULT = {
    .pool = {.buffers = 4096, .buffer_bytes = 2048, .views = 16384},
    .sockets = 256,
    .udp_sockets = 64,
    .tcp_connections = 1024,
    .arp_entries = 128,
    .routes = 16,
    .send_buffer_bytes = 65536,
    .receive_buffer_bytes = 65536,
    .send_buffer_max_bytes = 4 << 20,
    .receive_buffer_max_bytes = 4 << 20,
    .tcp_ecn = LAN_TCP_ECN_PASSIVE,
};

/* Every part that carves memory, in order: what it needs, and how it starts. */
static const struct {
    size_t (*memory)(const struct lan_config *config);
    void (*init)(struct lan_stack *stack);
} PARTS[] = {
    {lan_arp_memory, lan_arp_init}, {lan_route_memory, lan_route_init},   {lan_udp_memory, lan_udp_init},
    {lan_tcp_memory, lan_tcp_init}, {lan_socket_memory, lan_socket_init},
};
enum { PART_COUNT = sizeof PARTS / sizeof PARTS[0] };

static bool config_possible(const struct lan_config *config)
{
    return config->pool.buffers && config->pool.views && config->pool.buffer_bytes >= LAN_TCP_BUFFER_BYTES_MIN &&
           config->pool.buffer_bytes % 64 == 0 && config->sockets && config->tcp_connections && config->arp_entries &&
           config->routes && config->send_buffer_bytes && config->receive_buffer_bytes &&
           config->tcp_ecn <= LAN_TCP_ECN_PASSIVE && config->tcp_syn_options <= LAN_TCP_SYN_OPTIONS_FREEBSD &&
           config->tcp_quick_acks <= UINT8_MAX;
}

size_t lan_stack_size(const struct lan_config *config)
{
    size_t bytes = lan_carve_size(sizeof(struct lan_stack)) + lan_carve_size(lan_pool_size(&config->pool));

    for (int i = 0; i < PART_COUNT; i++)
        bytes += PARTS[i].memory(config);
    return bytes;
}

void *lan_stack_carve(struct lan_stack *stack, size_t bytes)
{
    uint8_t *memory = stack->carve_next;

    stack->carve_next += lan_carve_size(bytes);
    assert(stack->carve_next <= stack->carve_end);
    return memset(memory, 0, bytes);
}

void *lan_stack_carve_list(struct lan_stack *stack, uint32_t count, size_t bytes)
{
    uint8_t *entries = lan_stack_carve(stack, count * bytes);
    void *next = NULL;

    while (count-- > 0) {
        uint8_t *entry = entries + count * bytes;

        memcpy(entry, &next, sizeof next);
        next = entry;
    }
    return next;
}

/* A power of two as well, as what carving rounds up to is one. */
size_t lan_chains_size(uint32_t entries)
{
    uint32_t chains = 1;

    while (chains < entries && chains < 1u << 30)
        chains *= 2;
    return lan_carve_size(chains * sizeof(void *));
}

void *lan_stack_carve_chains(struct lan_stack *stack, uint32_t entries, uint32_t *mask)
{
    size_t bytes = lan_chains_size(entries);

    *mask = (uint32_t)(bytes / sizeof(void *)) - 1;
    return lan_stack_carve(stack, bytes);
}

struct lan_stack *lan_stack_create(void *memory, size_t bytes, const struct lan_port *port,
                                   const struct lan_config *config)
{
    if (!config_possible(config) || (uintptr_t)memory % 64 || lan_stack_size(config) > bytes)
        return NULL;

    struct lan_stack *stack = memory;

    memset(stack, 0, sizeof *stack);
    stack->port = port;
    stack->config = *config;
    stack->alarm_ns = LAN_NEVER;
    stack->carve_next = (uint8_t *)memory + lan_carve_size(sizeof *stack);
    stack->carve_end = (uint8_t *)memory + bytes;
    stack->pool = lan_pool_create(stack->carve_next, &config->pool);
    stack->carve_next += lan_carve_size(lan_pool_size(&config->pool));
    port->random(port->ctx, stack->secret, sizeof stack->secret);
    port->random(port->ctx, stack->ip_id, sizeof stack->ip_id);
    lan_timers_init(&stack->timers, lan_now(stack));
    for (int i = 0; i < PART_COUNT; i++)
        PARTS[i].init(stack);
    return stack;
}

LAN_RARE void lan_drop(struct lan_buf *packet, lan_count *reason)
{
    (*reason)++;
    lan_buf_free(packet);
}

struct lan_pool *lan_stack_pool(struct lan_stack *stack)
{
    return stack->pool;
}

uint64_t lan_stack_next_deadline(const struct lan_stack *stack)
{
    return stack->timers.bound_ns;
}

uint64_t lan_stack_poll(struct lan_stack *stack)
{
    uint64_t now_ns = lan_now(stack);

    if (now_ns >= stack->timers.bound_ns) {
        lan_timers_run(&stack->timers, now_ns);
        stack->timers.bound_ns = lan_timers_next(&stack->timers);
    }
    stack->alarm_ns = stack->timers.bound_ns;
    stack->port->set_alarm(stack->port->ctx, stack->alarm_ns);
    return stack->alarm_ns;
}

void lan_stack_set_timer(struct lan_stack *stack, struct lan_timer *timer, uint32_t seconds)
{
    lan_timer_set(&stack->timers, timer, lan_now(stack) + seconds * LAN_SECOND_NS);
}

/* The bound may be too early by a timer that was cancelled since. */
LAN_RARE void lan_stack_set_alarm(struct lan_stack *stack)
{
    uint64_t next = stack->timers.bound_ns = lan_timers_next(&stack->timers);

    if (next < stack->alarm_ns) {
        stack->alarm_ns = next;
        stack->port->set_alarm(stack->port->ctx, next);
    }
}

static const struct {
    const char *name;
    size_t offset;
} COUNTERS[] = {
#define ROW(name, field) {#name, offsetof(struct lan_counters, field)},
    LAN_COUNTERS(ROW)
#undef ROW
};
enum { COUNTER_COUNT = sizeof COUNTERS / sizeof COUNTERS[0] };

static uint64_t counter_value(const struct lan_stack *stack, size_t index)
{
    lan_count value;

    memcpy(&value, (const uint8_t *)&stack->counters + COUNTERS[index].offset, sizeof value);
    return value;
}

size_t lan_stack_counters(const struct lan_stack *stack, struct lan_counter *out, size_t room)
{
    for (size_t i = 0; i < COUNTER_COUNT && i < room; i++)
        out[i] = (struct lan_counter){COUNTERS[i].name, counter_value(stack, i)};
    return COUNTER_COUNT;
}

uint64_t lan_stack_counter(const struct lan_stack *stack, const char *name)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (strcmp(COUNTERS[i].name, name) == 0)
            return counter_value(stack, i);
    assert(!"no such counter");
    return 0;
}
