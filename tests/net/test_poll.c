/* SPDX-License-Identifier: Apache-2.0 */
#include "udp_fixture.h"

#include <errno.h>

#include "socket_table.h"

static void inject_to_5001(struct fixture *f)
{
    inject_udp(f, 1234, 5001, "data");
}

static void a_look_returns_at_once(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[2] = {{.fd = bound(f, 0, 5000), .events = LAN_POLLIN},
                                {.fd = bound(f, 0, 5001), .events = LAN_POLLIN | LAN_POLLOUT}};

    assert_int_equal(lan_poll(f->stack, fds, 2, 0), 1);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, LAN_POLLOUT);
    inject_udp(f, 1234, 5000, "data");
    assert_int_equal(lan_poll(f->stack, fds, 2, 0), 2);
    assert_int_equal(fds[0].revents, LAN_POLLIN);
}

static void poll_sleeps_until_one_is_ready(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[2] = {{.fd = bound(f, 0, 5000), .events = LAN_POLLIN},
                                {.fd = bound(f, 0, 5001), .events = LAN_POLLIN}};

    f->on_block = inject_to_5001;
    assert_int_equal(lan_poll(f->stack, fds, 2, -1), 1);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, LAN_POLLIN);
}

static void poll_ends_with_its_timeout(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[1] = {{.fd = bound(f, 0, 5000), .events = LAN_POLLIN}};
    uint64_t start = f->now_ns;

    assert_int_equal(lan_poll(f->stack, fds, 1, 250), 0);
    assert_int_equal(f->now_ns - start, 250000000);
    assert_int_equal(lan_poll(f->stack, NULL, 0, 250), 0); /* a plain sleep */
    assert_int_equal(f->now_ns - start, 500000000);
}

/* An event that does not make ready what was asked for must not end the wait. */
static void an_uninteresting_event_does_not_end_the_wait(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[1] = {{.fd = bound(f, 0, 5001), .events = LAN_POLLPRI}};
    uint64_t start = f->now_ns;

    f->on_block = inject_to_5001;
    assert_int_equal(lan_poll(f->stack, fds, 1, 250), 0);
    assert_int_equal(f->now_ns - start, 250000000);
}

static void negative_descriptors_are_ignored_and_closed_ones_told(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[2] = {{.fd = -1, .events = LAN_POLLIN, .revents = 99}, {.fd = 5, .events = LAN_POLLIN}};

    assert_int_equal(lan_poll(f->stack, fds, 2, -1), 1);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, LAN_POLLNVAL);
}

static int doomed;

static void close_doomed(struct fixture *f)
{
    lan_close(f->stack, doomed);
}

static void a_socket_closed_under_poll_is_told(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[1];

    doomed = bound(f, 0, 5000);
    fds[0] = (struct lan_pollfd){.fd = doomed, .events = LAN_POLLIN};
    f->on_block = close_doomed;
    assert_int_equal(lan_poll(f->stack, fds, 1, -1), 1);
    assert_int_equal(fds[0].revents, LAN_POLLNVAL);
}

static void reopen_doomed(struct fixture *f)
{
    close_doomed(f);
    assert_int_equal(bound(f, 0, 5001), doomed);
    f->on_block = inject_to_5001;
}

static void a_descriptor_used_again_under_poll_is_watched(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[1];

    doomed = bound(f, 0, 5000);
    fds[0] = (struct lan_pollfd){.fd = doomed, .events = LAN_POLLIN};
    f->on_block = reopen_doomed;
    assert_int_equal(lan_poll(f->stack, fds, 1, -1), 1);
    assert_int_equal(fds[0].revents, LAN_POLLIN);
}

static void one_socket_twice_in_a_set_is_told_twice(void **state)
{
    struct fixture *f = *state;
    int fd = bound(f, 0, 5001);
    struct lan_pollfd fds[2] = {{.fd = fd, .events = LAN_POLLIN}, {.fd = fd, .events = LAN_POLLIN | LAN_POLLRDHUP}};

    f->on_block = inject_to_5001;
    assert_int_equal(lan_poll(f->stack, fds, 2, -1), 2);
}

static void waiters_come_back_after_each_poll(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[60];

    for (uint16_t i = 0; i < 60; i++)
        fds[i] = (struct lan_pollfd){.fd = bound(f, 0, (uint16_t)(6000 + i)), .events = LAN_POLLIN};
    for (int i = 0; i < 100; i++)
        assert_int_equal(lan_poll(f->stack, fds, 60, 1), 0);
}

static void more_entries_than_waiters_are_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_pollfd fds[97];
    int fd = bound(f, 0, 5000);

    for (int i = 0; i < 97; i++) /* 80 sockets and 16 more */
        fds[i] = (struct lan_pollfd){.fd = fd, .events = LAN_POLLIN};
    assert_int_equal(lan_poll(f->stack, fds, 97, 10), -ENOMEM);
    assert_int_equal(lan_poll(f->stack, fds, 96, 10), 0);
}

/* Several threads sleep on one socket, and wake in any order. */
static void waiters_leave_in_any_order(void **state)
{
    struct fixture *f = *state;
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct lan_socket *socket = lan_socket_find(f->stack, bound(f, 0, 5000));

    for (int order = 0; order < 6; order++) {
        struct lan_wakeup wakeups[3] = {0};
        struct lan_waiter waiters[3];

        for (int i = 0; i < 3; i++) {
            waiters[i].wakeup = &wakeups[i];
            lan_waiter_join(socket, &waiters[i]);
        }
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < 3; k++)
                wakeups[k].woken = false;
            lan_waiter_leave(&waiters[orders[order][i]]);
            lan_socket_event(socket);
            for (int k = 0; k < 3; k++)
                assert_int_equal(wakeups[orders[order][k]].woken, k > i);
        }
        assert_null(socket->waiters);
    }
}

static int notified;

static void note(void *arg)
{
    notified += *(int *)arg;
}

static void notify_is_called_for_its_socket_only(void **state)
{
    struct fixture *f = *state;
    int one = 1, fd = bound(f, 0, 5000);

    bound(f, 0, 5001);
    notified = 0;
    assert_int_equal(lan_set_notify(f->stack, fd, note, &one), 0);
    inject_udp(f, 1234, 5001, "data");
    assert_int_equal(notified, 0);
    inject_udp(f, 1234, 5000, "data");
    assert_int_equal(notified, 1);
    assert_int_equal(lan_set_notify(f->stack, fd, NULL, NULL), 0);
    inject_udp(f, 1234, 5000, "data");
    assert_int_equal(notified, 1);
}

static void a_new_socket_inherits_no_notify(void **state)
{
    struct fixture *f = *state;
    int one = 1, fd = bound(f, 0, 5000);

    notified = 0;
    lan_set_notify(f->stack, fd, note, &one);
    lan_close(f->stack, fd);
    assert_int_equal(bound(f, 0, 5000), fd);
    inject_udp(f, 1234, 5000, "data");
    assert_int_equal(notified, 0);
}

static void ready_tells_only_what_was_asked(void **state)
{
    struct fixture *f = *state;
    int fd = bound(f, 0, 5000);

    inject_udp(f, 1234, 5000, "data");
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLIN), LAN_POLLIN);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), LAN_POLLOUT);
    assert_int_equal(lan_ready(f->stack, fd, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_look_returns_at_once),
        TEST(poll_sleeps_until_one_is_ready),
        TEST(poll_ends_with_its_timeout),
        TEST(an_uninteresting_event_does_not_end_the_wait),
        TEST(negative_descriptors_are_ignored_and_closed_ones_told),
        TEST(a_socket_closed_under_poll_is_told),
        TEST(a_descriptor_used_again_under_poll_is_watched),
        TEST(one_socket_twice_in_a_set_is_told_twice),
        TEST(waiters_come_back_after_each_poll),
        TEST(more_entries_than_waiters_are_refused),
        TEST(waiters_leave_in_any_order),
        TEST(notify_is_called_for_its_socket_only),
        TEST(a_new_socket_inherits_no_notify),
        TEST(ready_tells_only_what_was_asked),
    };

    return cmocka_run_group_tests_name("poll", tests, NULL, NULL);
}
