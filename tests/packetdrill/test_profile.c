/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile changes: test_packetdrill_profile SHARED_OBJECT PROFILE */
#include "player.h"

#include <stdio.h>
#include <string.h>

enum { DATA = 1000, MS = 1000, RTT = 20 * MS };

static const struct profile {
    const char *name, *flags;
    const char *options; /* of the SYN: the kinds in order, no-operation as '.' */
    uint8_t scale;       /* of its window */
    bool quick;          /* acknowledges the first data at once */
    long long rto_us;    /* after a handshake in no time and a round trip of RTT */
} PROFILES[] = {
    {"linux", "profile=linux", "248.3", 8, true, RTT / 8 + 200 * MS},
    {"freebsd", "profile=freebsd", "2.348", 6, false, 230 * MS},
    {"rfc", "profile=rfc", "2..4..8.3", 7, false, 1000 * MS},
};
static const struct profile *profile;

static void the_options_of_a_syn_are_in_order(void **state)
{
    struct play *p = *state;
    struct seen syn;
    char seen[41] = "";
    uint32_t n = 0;

    connecting(p, &syn);
    for (uint32_t i = 0; i < syn.option_bytes; i += syn.options[i] == 1 ? 1 : syn.options[i + 1]) {
        seen[n++] = syn.options[i] == 1 ? '.' : (char)('0' + syn.options[i]);
        if (syn.options[i] == 3)
            assert_int_equal(syn.options[i + 2], profile->scale);
    }
    assert_string_equal(seen, profile->options);
}

static void the_initial_window_is_ten_segments(void **state)
{
    struct play *p = *state;
    static char data[30 * DATA];
    struct seen syn;
    int fd = connecting(p, &syn);

    p->i.usleep(p->i.userdata, RTT);
    send_segment_with(p, F_SYN | F_ACK, 0, 1, 0, "\2\4\3\350", 4); /* an MSS of 1,000 */
    expect_segment(p, F_ACK, 1, 0);
    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);
    for (uint32_t i = 0; i < 10; i++)
        expect_segment(p, F_ACK, 1 + i * DATA, DATA);
    expect_segment(p, F_ACK, 1, DATA); /* and then nothing new until the time-out */
}

static void the_first_data_are_acknowledged_at_once_or_later(void **state)
{
    struct play *p = *state;
    struct timeval before;

    accepted(p);
    p->i.gettimeofday(p->i.userdata, &before, NULL);
    send_segment(p, F_ACK | F_PSH, 1, 1, DATA);

    struct seen ack = expect_segment(p, F_ACK, 1, 0);
    long long waited_us = ack.time_us - before.tv_sec * 1000000LL - before.tv_usec;

    assert_int_equal(ack.ack, 1 + DATA);
    if (profile->quick)
        assert_in_range(waited_us, 0, 1 * MS);
    else
        assert_in_range(waited_us, 10 * MS, 499 * MS);
}

static void the_time_out_has_its_minimum(void **state)
{
    struct play *p = *state;
    static char data[DATA / 2];
    int fd = accepted(p);

    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);
    expect_segment(p, F_ACK, 1, sizeof data);
    p->i.usleep(p->i.userdata, RTT);
    send_segment(p, F_ACK, 1, 1 + sizeof data, 0);
    assert_int_equal(p->i.write(p->i.userdata, fd, data, sizeof data), sizeof data);

    struct seen first = expect_segment(p, F_ACK, 1 + sizeof data, sizeof data);
    struct seen again = expect_segment(p, F_ACK, 1 + sizeof data, sizeof data);

    assert_in_range(again.time_us - first.time_us, profile->rto_us - 2 * MS, profile->rto_us + 2 * MS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST_PLAY(the_options_of_a_syn_are_in_order),
        TEST_PLAY(the_initial_window_is_ten_segments),
        TEST_PLAY(the_first_data_are_acknowledged_at_once_or_later),
        TEST_PLAY(the_time_out_has_its_minimum),
    };

    for (size_t i = 0; argc == 3 && i < sizeof PROFILES / sizeof *PROFILES; i++) {
        if (strcmp(argv[2], PROFILES[i].name) == 0)
            profile = &PROFILES[i];
    }
    if (!profile) {
        fprintf(stderr, "usage: %s SHARED_OBJECT linux|freebsd|rfc\n", argv[0]);
        return 2;
    }
    return play_all(tests, sizeof tests / sizeof *tests, argv[1], profile->flags);
}
