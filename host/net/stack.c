/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/stack.h"
#include "stack_internal.h"
#include "tcp_tcb.h"
#include "udp_internal.h"

#include <assert.h>

enum { ALIGNMENT = 64 };
enum { SPARE_WAITERS = 16 }; /* beyond one per socket, for sockets that several polls watch */

const struct lan_config LAN_CONFIG_DEFAULT = {
    .pool = {.buffers = 4096, .buffer_bytes = 2048, .views = 16384},
    .sockets = 256,
    .udp_sockets = 64,
    .tcp_connections = 1024,
    .tcp_tables = 16,
    .arp_entries = 128,
    .routes = 16,
    .send_buffer_bytes = 65536,
    .receive_buffer_bytes = 65536,
    .send_buffer_max_bytes = 4 << 20,
    .receive_buffer_max_bytes = 4 << 20,
    .tcp_ecn = LAN_TCP_ECN_PASSIVE,
};

/* What stands in the memory of a stack behind itself and its pool: as many entries as the configuration says, and some
 * more. They are zero, or a list of what is free. */
static const struct region {
    uint16_t place;  /* in struct lan_stack: of the pointer to it */
    uint16_t number; /* in struct lan_config: of entries */
    uint16_t more;
    uint16_t bytes; /* of an entry; 0: it is the chains of a hash table, one entry a chain on average */
    uint16_t mask;  /* in struct lan_stack: one less than there are chains */
    bool listed;    /* by their first member */
} REGIONS[] = {
#define PLACE(member) .place = offsetof(struct lan_stack, member)
#define NUMBER(member) .number = offsetof(struct lan_config, member)
#define MASK(member) .mask = offsetof(struct lan_stack, member)
    {PLACE(arp.entries), NUMBER(arp_entries), .bytes = sizeof(struct lan_neighbour), .listed = true},
    {PLACE(arp.buckets), NUMBER(arp_entries), MASK(arp.bucket_mask)},
    {PLACE(routes.entries), NUMBER(routes), .bytes = sizeof(struct lan_route)},
    {PLACE(udp.pcbs), NUMBER(udp_sockets), .bytes = sizeof(struct lan_udp_pcb), .listed = true},
    {PLACE(udp.chains), NUMBER(udp_sockets), MASK(udp.chain_mask)},
    {PLACE(tcp.free), NUMBER(tcp_connections), LAN_TCP_SPARE_TCBS, sizeof(struct lan_tcb), .listed = true},
    {PLACE(tcp.connections), NUMBER(tcp_connections), LAN_TCP_SPARE_TCBS, MASK(tcp.connections_mask)},
    {PLACE(tcp.ports), NUMBER(sockets), MASK(tcp.ports_mask)},
    {PLACE(sockets.sockets), NUMBER(sockets), .bytes = sizeof(struct lan_socket)},
    {PLACE(sockets.used), NUMBER(sockets), .bytes = sizeof(uint8_t)}, /* more than it takes: one a block */
    {PLACE(sockets.spare), NUMBER(sockets), SPARE_WAITERS, sizeof(struct lan_waiter), .listed = true},
};
#undef PLACE
#undef NUMBER
#undef MASK
enum { REGION_COUNT = sizeof REGIONS / sizeof REGIONS[0] };

static bool config_possible(const struct lan_config *config)
{
    return config->pool.buffers >= LAN_TCP_BUFFERS_MIN && config->pool.views &&
           config->pool.buffer_bytes >= LAN_TCP_BUFFER_BYTES_MIN && config->pool.buffer_bytes % 64 == 0 &&
           config->sockets && config->tcp_connections && config->arp_entries && config->routes &&
           config->send_buffer_bytes && config->receive_buffer_bytes && config->tcp_ecn <= LAN_TCP_ECN_PASSIVE &&
           config->tcp_syn_options <= LAN_TCP_SYN_OPTIONS_FREEBSD && config->tcp_quick_acks <= UINT8_MAX;
}

static size_t align(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static size_t entries_of(const struct region *region, const struct lan_config *config)
{
    const uint32_t *number = (const void *)((const uint8_t *)config + region->number);
    size_t entries = *number;

    return entries + region->more;
}

/* A power of two of chains as well, as what is aligned to is one. */
static size_t bytes_of(const struct region *region, const struct lan_config *config)
{
    size_t entries = entries_of(region, config), chains = 1;

    if (region->bytes)
        return align(entries * region->bytes);
    while (chains < entries && chains < 1u << 30)
        chains *= 2;
    return align(chains * sizeof(void *));
}

/* Larger buffers than those of the stack's pool, for TCP. */
static struct lan_pool_config tables_of(const struct lan_config *config)
{
    bool larger = config->pool.buffer_bytes < LAN_TCP_TABLE_BYTES;

    return (struct lan_pool_config){.buffers = larger ? config->tcp_tables : 0, .buffer_bytes = LAN_TCP_TABLE_BYTES};
}

size_t lan_stack_size(const struct lan_config *config)
{
    struct lan_pool_config tables = tables_of(config);
    size_t bytes = align(sizeof(struct lan_stack)) + lan_pool_size(&config->pool);

    if (LAN_TCP_TABLES)
        bytes += lan_pool_size(&tables);
    for (int i = 0; i < REGION_COUNT; i++)
        bytes += bytes_of(&REGIONS[i], config);
    return bytes;
}

/* A pointer to anything. */
typedef void *__attribute__((may_alias)) pointer;

/* Joins entries by the pointer that each begins with; returns the first, NULL: there is none. */
static void *join(uint8_t *entries, size_t count, size_t bytes)
{
    void *next = NULL;

    while (count-- > 0) {
        pointer *entry = (pointer *)(void *)(entries + count * bytes);

        *entry = next;
        next = entry;
    }
    return next;
}

/* Returns where the next one begins. */
static uint8_t *lay_out(struct lan_stack *stack, const struct region *region, uint8_t *memory)
{
    uint8_t *parts = (uint8_t *)stack;
    size_t bytes = bytes_of(region, &stack->config);
    void *first = memset(memory, 0, bytes);

    if (region->listed)
        first = join(memory, entries_of(region, &stack->config), region->bytes);
    if (region->mask)
        *(uint32_t *)(void *)(parts + region->mask) = (uint32_t)(bytes / sizeof(void *)) - 1;
    *(pointer *)(void *)(parts + region->place) = first;
    return memory + bytes;
}

struct lan_stack *lan_stack_create(void *memory, size_t bytes, const struct lan_port *port,
                                   const struct lan_config *config)
{
    if (!config_possible(config) || (uintptr_t)memory % ALIGNMENT || lan_stack_size(config) > bytes)
        return NULL;

    struct lan_pool_config tables = tables_of(config);
    struct lan_stack *stack = memory;
    uint8_t *next = (uint8_t *)memory + align(sizeof *stack);

    memset(stack, 0, sizeof *stack);
    stack->port = port;
    stack->config = *config;
    stack->alarm_ns = LAN_NEVER;
    stack->pool = lan_pool_create(next, &config->pool);
    next += lan_pool_size(&config->pool);
    if (LAN_TCP_TABLES) {
        stack->tcp.tables = lan_pool_create(next, &tables);
        next += lan_pool_size(&tables);
    }
    for (int i = 0; i < REGION_COUNT; i++)
        next = lay_out(stack, &REGIONS[i], next);
    port->random(port->ctx, &stack->random, sizeof stack->random);
    lan_timers_init(&stack->timers, lan_now(stack));
    lan_arp_init(stack);
    lan_tcp_init(stack);
    stack->udp.free = stack->udp.pcbs;
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

/* Tells the port when to look at the timers again. */
LAN_SHARED static void tell(struct lan_stack *stack)
{
    stack->alarm_ns = stack->timers.bound_ns;
    stack->port->set_alarm(stack->port->ctx, stack->alarm_ns);
}

void lan_stack_wants_poll(struct lan_stack *stack)
{
    stack->timers.bound_ns = 0;
    tell(stack);
}

uint64_t lan_stack_poll(struct lan_stack *stack)
{
    uint64_t now_ns = lan_now(stack);

    for (struct lan_netif *netif = stack->netifs; netif; netif = netif->next)
        if (netif->arrived) /* while something was sent */
            lan_netif_input(netif, NULL);
    if (now_ns >= stack->timers.bound_ns) {
        lan_timers_run(&stack->timers, now_ns);
        stack->timers.bound_ns = lan_timers_next(&stack->timers);
    }
    tell(stack);
    return stack->alarm_ns;
}

void lan_stack_set_timer(struct lan_stack *stack, struct lan_timer *timer, uint32_t seconds)
{
    lan_timer_set(&stack->timers, timer, lan_deadline_after(stack, seconds * 1000));
}

/* The bound may be too early by a timer that was cancelled since. */
LAN_RARE void lan_stack_set_alarm(struct lan_stack *stack)
{
    stack->timers.bound_ns = lan_timers_next(&stack->timers);
    if (stack->timers.bound_ns < stack->alarm_ns)
        tell(stack);
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
