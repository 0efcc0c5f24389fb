/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of a machine, and its packets. */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 200 }; /* real ones: a thread may never look */

static _Thread_local bool slept;

const uint8_t WORLD_OWN_MAC[6] = {2, 0, 0, 0, 0, 1}, WORLD_GATEWAY_MAC[6] = {2, 0, 0, 0, 0, 2};

/* A thread in a call that blocks. */
struct sleeper {
    struct sleeper *next;
    struct lan_wakeup *wakeup;
    uint64_t deadline_ns;
    bool conductor, roused;
};

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

void world_put_header(uint8_t out[WORLD_ETH_BYTES], unsigned type)
{
    memcpy(out, WORLD_OWN_MAC, 6);
    memcpy(out + 6, WORLD_GATEWAY_MAC, 6);
    put16(out + 12, type);
}

bool world_answer_arp(const uint8_t asked[WORLD_ARP_BYTES], uint8_t out[WORLD_ARP_BYTES])
{
    static const uint8_t ETHERNET_IPV4_REPLY[] = {0, 1, 8, 0, 6, 4, 0, 2};
    const uint8_t *asked_from = asked + 14, *asked_for = asked + 24;

    memcpy(out, ETHERNET_IPV4_REPLY, sizeof ETHERNET_IPV4_REPLY);
    memcpy(out + 8, WORLD_GATEWAY_MAC, 6);
    memcpy(out + 14, asked_for, 4);
    memcpy(out + 18, WORLD_OWN_MAC, 6);
    memcpy(out + 24, asked_from, 4);
    return memcmp(asked_from, asked_for, 4) != 0;
}

void machine_emit(struct machine *m, const void *data, size_t bytes, uint64_t sent_ns)
{
    struct packet *packet = malloc(sizeof *packet + bytes);

    if (!packet)
        abort();
    *packet = (struct packet){.sent_ns = sent_ns, .bytes = bytes};
    memcpy(packet->data, data, bytes);
    *m->last = packet;
    m->last = &packet->next;
}

static void rouse(struct machine *m, struct sleeper *sleeper)
{
    if (sleeper->roused)
        return;
    sleeper->roused = true;
    if (!sleeper->conductor)
        m->running++;
    pthread_cond_broadcast(&m->changed);
}

/* Conductor: nothing runs but itself, and the world is done with what was asked of it. */
static void settle(struct machine *m)
{
    world_settle(m);
    while (m->running)
        pthread_cond_wait(&m->changed, &m->lock);
    world_settle(m);
}

static uint64_t next_event(const struct machine *m)
{
    uint64_t next = world_next(m);

    for (const struct sleeper *s = m->sleepers; s; s = s->next) {
        if (s->deadline_ns < next)
            next = s->deadline_ns;
    }
    return next;
}

/* Conductor: to the next thing that time brings, or to `until_ns`. */
static void step(struct machine *m, uint64_t until_ns)
{
    uint64_t next = next_event(m);

    world_step(m, next < until_ns ? next : until_ns);
    for (struct sleeper *s = m->sleepers; s; s = s->next) {
        if (s->deadline_ns <= m->now_ns)
            rouse(m, s);
    }
    settle(m);
}

/* SplitMix64: every run of a script draws the same. */
void machine_random(uint64_t *state, void *out, size_t bytes)
{
    for (uint8_t *p = out; bytes--;) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        *p++ = (uint8_t)(z >> 56);
    }
}

void machine_block(struct machine *m, struct lan_wakeup *wakeup, uint64_t deadline_ns)
{
    struct sleeper sleeper = {m->sleepers, wakeup, deadline_ns, pthread_equal(pthread_self(), m->conductor), false};

    world_settle(m);
    if (wakeup->woken)
        return;
    wakeup->task = &sleeper;
    m->sleepers = &sleeper;
    if (!sleeper.conductor) {
        m->running--;
        pthread_cond_broadcast(&m->changed);
    }
    while (!sleeper.roused) {
        if (sleeper.conductor && next_event(m) != LAN_NEVER)
            step(m, LAN_NEVER);
        else
            pthread_cond_wait(&m->changed, &m->lock);
    }
    for (struct sleeper **link = &m->sleepers; *link; link = &(*link)->next) {
        if (*link == &sleeper) {
            *link = sleeper.next;
            break;
        }
    }
    wakeup->task = NULL;
    if (!sleeper.conductor && !slept) {
        slept = true;
        m->returned++;
    }
}

void machine_unblock(struct machine *m, struct lan_wakeup *wakeup)
{
    if (wakeup->task)
        rouse(m, wakeup->task);
}

struct machine *machine_create(const struct machine_config *config)
{
    struct machine *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    m->conductor = pthread_self();
    m->last = &m->first;
    if (!world_create(m, config)) {
        machine_destroy(m);
        return NULL;
    }
    return m;
}

void machine_destroy(struct machine *m)
{
    world_destroy(m);
    while (m->first) {
        struct packet *packet = m->first;

        m->first = packet->next;
        free(packet);
    }
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void machine_enter(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    if (!pthread_equal(pthread_self(), m->conductor))
        m->running++;
}

void machine_leave(struct machine *m)
{
    world_settle(m);
    if (!pthread_equal(pthread_self(), m->conductor)) {
        m->running--;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
}

void machine_advance(struct machine *m, uint64_t ns)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    for (uint64_t until_ns = m->now_ns + ns; m->now_ns < until_ns;)
        step(m, until_ns);
    pthread_mutex_unlock(&m->lock);
}

static void let_look(struct machine *m)
{
    struct timespec until;

    if (!m->returned)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (m->returned && pthread_cond_clockwait(&m->changed, &m->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    m->returned = 0;
}

void machine_sleep(struct machine *m, uint64_t ns)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    let_look(m);
    for (uint64_t until_ns = m->now_ns + ns; m->now_ns < until_ns; let_look(m))
        step(m, until_ns);
    pthread_mutex_unlock(&m->lock);
}

void machine_looked(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    if (slept && m->returned) {
        m->returned--;
        pthread_cond_broadcast(&m->changed);
    }
    slept = false;
    pthread_mutex_unlock(&m->lock);
}

void machine_receive(struct machine *m, const void *packet, size_t bytes)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    world_receive(m, packet, bytes);
    settle(m);
    pthread_mutex_unlock(&m->lock);
}

struct packet *machine_sent(struct machine *m, uint64_t limit_ns)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    for (uint64_t until_ns = m->now_ns + limit_ns; !m->first && m->now_ns < until_ns;)
        step(m, until_ns);

    struct packet *packet = m->first;

    if (packet) {
        m->first = packet->next;
        if (!m->first)
            m->last = &m->first;
    }
    pthread_mutex_unlock(&m->lock);
    return packet;
}
