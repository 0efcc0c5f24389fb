/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody outside may guess: initial sequence numbers (RFC 6528), ports (RFC 6056), the time stamps' offsets (RFC
 * 7323 5.4), over ten thousand samples and over reboots. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 10000, BUCKETS = 256, FIRST_PORT = 1024, PORTS = 65536 - FIRST_PORT };
enum { BOOTS = 4 };

static uint32_t get_host32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Pearson's chi-square of the samples' bits from `shift` on. */
static double chi_square(const uint32_t *samples, uint32_t shift)
{
    uint32_t counts[BUCKETS] = {0};
    double expected = (double)SAMPLES / BUCKETS, sum = 0;
    for (uint32_t i = 0; i < SAMPLES; i++)
        counts[samples[i] >> shift & (BUCKETS - 1)]++;
    for (uint32_t i = 0; i < BUCKETS; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

/* The sum over BOOTS. Its 1020 degrees of freedom let one sum of random samples in a hundred million be outside of
 * this: no boot is unlucky enough to decide. */
static void assert_uniform(double sum)
{
    assert_true(sum < 1290);
    assert_true(sum > 780); /* nor are they too even to be random */
}

/* Sums over BOOTS, of each octet, and of each octet of the steps from one sample to the next. */
struct sums {
    double samples[4], steps[4];
};

static void add(struct sums *sums, const uint32_t *samples)
{
    static uint32_t steps[SAMPLES];
    for (uint32_t i = 0; i < SAMPLES; i++)
        steps[i] = samples[(i + 1) % SAMPLES] - samples[i];
    for (uint32_t i = 0; i < 4; i++) {
        sums->samples[i] += chi_square(samples, 8 * i);
        sums->steps[i] += chi_square(steps, 8 * i);
    }
}

static void assert_random(const struct sums *sums)
{
    for (uint32_t i = 0; i < 4; i++) {
        assert_uniform(sums->samples[i]);
        assert_uniform(sums->steps[i]);
    }
}

struct secrets {
    uint32_t iss[SAMPLES], stamp[SAMPLES];
};

/* The answers to one SYN from each of ten thousand ports, at one instant. */
static void sample(struct peer *p, struct secrets *secrets)
{
    for (uint32_t i = 0; i < SAMPLES; i++) {
        p->port = (uint16_t)(10000 + i);
        from_peer_options(p, SYN, 0, 0, "\x01\x01\x08\x0a\0\0\0\1\0\0\0", 12);
        p->host_iss = 0;
        struct sent sent = next_sent(p);
        secrets->iss[i] = sent.seq;
        secrets->stamp[i] = get_host32(sent.options + 8);
        from_peer(p, RST, 1, 0, 0);
    }
}

/* A host whose random numbers begin with `seed`. */
static struct peer boot(uint64_t seed)
{
    void *state;
    fixture_seed = seed;
    fixture_setup(&state);
    fixture_seed = 1;
    return peer_of(state);
}

static void shut_down(struct peer *p)
{
    void *state = p->f;
    fixture_teardown(&state);
}

static void sample_after_boot(uint64_t seed, struct secrets *secrets)
{
    struct peer p = boot(seed);
    listen_on(p.f, HOST_PORT, 8);
    sample(&p, secrets);
    shut_down(&p);
}

static void sequence_numbers_and_stamps_tell_nothing_of_one_another_RFC_6528(void **state)
{
    static struct secrets secrets;
    struct sums iss = {0}, stamp = {0}, between = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= BOOTS; seed++) {
        sample_after_boot(seed, &secrets);
        add(&iss, secrets.iss);
        add(&stamp, secrets.stamp);
        for (uint32_t i = 0; i < SAMPLES; i++)
            secrets.iss[i] -= secrets.stamp[i];
        add(&between, secrets.iss);
    }
    assert_random(&iss);
    assert_random(&stamp);
    assert_random(&between);
}

static void nothing_of_them_survives_a_reboot(void **state)
{
    static struct secrets before, after;
    struct sums iss = {0}, stamp = {0};
    (void)state;
    sample_after_boot(1, &before);
    for (uint64_t seed = 2; seed < 2 + BOOTS; seed++) {
        sample_after_boot(seed, &after);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            after.iss[i] -= before.iss[i];
            after.stamp[i] -= before.stamp[i];
        }
        add(&iss, after.iss);
        add(&stamp, after.stamp);
    }
    assert_random(&iss);
    assert_random(&stamp);
}

static void a_connections_number_advances_every_4_microseconds_RFC_6528(void **state)
{
    static struct secrets before, after;
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 8);
    sample(&p, &before);
    advance_ms(p.f, 1000);
    sample(&p, &after);
    for (uint32_t i = 0; i < SAMPLES; i++)
        assert_in_range(after.iss[i] - before.iss[i], 244140, 244141); /* a second of 4.096 us each */
}

/* The port that the host connects from next; the attempt is given up. */
static uint32_t next_port(struct peer *p)
{
    start_connect(p);
    lan_close(p->f->stack, p->fd);
    p->fd = -1;
    skip_sent(p);
    return p->host_port;
}

static void ports_are_spread_over_the_whole_range_RFC_6056(void **state)
{
    static uint32_t ports[SAMPLES];
    double sum = 0, sum_of_steps = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= BOOTS; seed++) {
        struct peer p = boot(seed);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            p.port = (uint16_t)(1 + i); /* another destination */
            uint32_t port = next_port(&p);
            assert_in_range(port, FIRST_PORT, 65535);
            ports[i] = (port - FIRST_PORT) * BUCKETS / PORTS;
        }
        shut_down(&p);
        sum += chi_square(ports, 0);
        for (uint32_t i = 0; i + 1 < SAMPLES; i++)
            ports[i] -= ports[i + 1];
        sum_of_steps += chi_square(ports, 0);
    }
    assert_uniform(sum);
    assert_uniform(sum_of_steps);
}

static void a_port_to_one_destination_waits_for_the_others_to_have_their_turn_RFC_6056(void **state)
{
    struct peer p = peer_of(*state);
    static bool seen[65536];
    uint32_t last = next_port(&p);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t port = next_port(&p);
        uint32_t step = (port + PORTS - last) % PORTS;
        assert_in_range(step, 1, 4);
        assert_false(seen[port]);
        seen[port] = true;
        last = port;
    }
}

/* The n-th port behind `port`, in a ring. */
static uint16_t port_after(uint32_t port, uint32_t n)
{
    return (uint16_t)(FIRST_PORT + (port - FIRST_PORT + n) % PORTS);
}

static void a_port_that_somebody_listens_on_is_passed_over(void **state)
{
    struct peer p = peer_of(*state);
    uint32_t next = next_port(&p);
    for (uint32_t i = 1; i <= 10; i++)
        listen_on(p.f, port_after(next, i), 1);
    assert_int_equal(next_port(&p), port_after(next, 11));
}

/* The IP identification of the answer to a SYN from 198.51.100.`last`. */
static uint16_t identification_for(struct peer *p, uint8_t last)
{
    static struct frame frame;
    peer_frame(p, &frame, SYN, 0, 0, NULL, 0, 0);
    put32(frame.bytes + ETH + 12, ADDRESS(198, 51, 100, last));
    fix_ip(&frame);
    fix_l4(&frame);
    inject(p->f, &frame);
    return get16(expect_frame(p->f)->bytes + ETH + 4);
}

static void what_one_destination_sees_of_identifications_tells_nothing_of_others(void **state)
{
    struct peer p = peer_of(*state);
    lan_route_add(p.f->stack, 0, 0, PEER, &p.f->netif);
    listen_on(p.f, HOST_PORT, 8);
    uint16_t first = identification_for(&p, 1), other = identification_for(&p, 2), third = identification_for(&p, 3);
    assert_true((uint16_t)(other - first) > 100 || (uint16_t)(third - first) > 100); /* begun at random */
    for (int i = 0; i < 20; i++)
        identification_for(&p, 2);
    assert_int_equal(identification_for(&p, 1), (uint16_t)(first + 1));
    skip_sent(&p);
}

/* The host has connected from port 3000 to the peer's `port`, sent as much, and closed first. */
static void leave_in_time_wait(struct peer *p, const void *options, uint32_t bytes, uint32_t sent)
{
    struct lan_sockaddr_in own = {.sin_family = LAN_AF_INET, .sin_port = net16(3000)};
    p->fd = open_socket(p->f);
    assert_int_equal(lan_bind(p->f->stack, p->fd, &own), 0);
    start_connect(p);
    from_peer_options(p, SYN | ACK, 0, 1, options, bytes);
    expect(p, ACK, 1, 1, 0);
    for (uint32_t seq = 1; seq < 1 + sent; seq += 5000) {
        host_sends(p, seq, 5000);
        skip_sent(p);
        from_peer_options(p, ACK, 1, seq + 5000, options, bytes);
    }
    lan_close(p->f->stack, p->fd);
    expect(p, FIN | ACK, 1 + sent, 1, 0);
    from_peer_options(p, FIN | ACK, 1, 2 + sent, options, bytes);
    expect(p, ACK, 2 + sent, 2, 0);
    p->fd = -1;
}

static int connect_again(struct peer *p)
{
    struct lan_sockaddr_in own = {.sin_family = LAN_AF_INET, .sin_port = net16(3000)};
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = PEER, .sin_port = net16(p->port)};
    int fd = open_socket(p->f);
    assert_int_equal(lan_bind(p->f->stack, fd, &own), 0);
    int result = lan_connect(p->f->stack, fd, &name);
    if (result != -EINPROGRESS)
        lan_close(p->f->stack, fd);
    return result;
}

static const uint8_t STAMP[12] = {1, 1, 8, 10, 0, 0, 0, 77};

static void time_wait_keeps_its_port_for_a_minute_without_time_stamps(void **state)
{
    struct peer p = peer_of(*state);
    leave_in_time_wait(&p, NULL, 0, 0);
    wait_ms(&p, 59999);
    assert_int_equal(connect_again(&p), -EADDRINUSE);
    wait_ms(&p, 1);
    assert_int_equal(connect_again(&p), -EINPROGRESS);
    skip_sent(&p);
}

static void time_stamps_let_a_connection_follow_its_predecessor_after_a_second(void **state)
{
    enum { sent = 500000 }; /* twice what the clock of the numbers advances in a second */
    struct peer p = peer_of(*state);
    leave_in_time_wait(&p, STAMP, sizeof STAMP, sent);
    wait_ms(&p, 1000);
    assert_int_equal(connect_again(&p), -EADDRINUSE);
    wait_ms(&p, 1148); /* the age of a stamp is known in units of 1.07 s */
    assert_int_equal(connect_again(&p), -EINPROGRESS);
    struct sent syn = next_sent(&p);
    assert_int_equal(syn.flags, SYN);
    assert_true((int32_t)(syn.seq - (2 + sent)) > 0); /* above what the old one has used */
    assert_int_equal(counter(p.f, "TcpExtTWRecycled"), 1);
    from_peer_options(&p, SYN | ACK, 0, syn.seq + 1, STAMP, sizeof STAMP);
    expect(&p, ACK, syn.seq + 1, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers_and_stamps_tell_nothing_of_one_another_RFC_6528),
        cmocka_unit_test(nothing_of_them_survives_a_reboot),
        TEST(a_connections_number_advances_every_4_microseconds_RFC_6528),
        cmocka_unit_test(ports_are_spread_over_the_whole_range_RFC_6056),
        TEST(a_port_to_one_destination_waits_for_the_others_to_have_their_turn_RFC_6056),
        TEST(a_port_that_somebody_listens_on_is_passed_over),
        TEST(what_one_destination_sees_of_identifications_tells_nothing_of_others),
        TEST(time_wait_keeps_its_port_for_a_minute_without_time_stamps),
        TEST(time_stamps_let_a_connection_follow_its_predecessor_after_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
