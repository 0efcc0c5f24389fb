/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"
#include "timer.h"

#include <stdlib.h>

enum { MANY = 20000 };

static struct lan_timers timers;
static uint64_t now, last_fired;
static uint32_t fired;

static uint64_t random64(void)
{
    static uint64_t state = 1;
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    return z ^ z >> 27;
}

static void count(struct lan_timer *timer)
{
    assert_true(timer->deadline_ns <= now);
    assert_true(timer->deadline_ns >= last_fired);
    last_fired = timer->deadline_ns;
    fired++;
}

static int setup(void **state)
{
    (void)state;
    now = random64() >> 8;
    last_fired = fired = 0;
    timers = (struct lan_timers){0};
    lan_timers_init(&timers, now);
    return 0;
}

static void run_at(uint64_t ns)
{
    now = ns;
    lan_timers_run(&timers, now);
}

static void no_timer_has_no_deadline(void **state)
{
    (void)state;
    assert_true(lan_timers_next(&timers) == UINT64_MAX);
    run_at(now + 1000);
    assert_true(lan_timers_next(&timers) == UINT64_MAX);
}

static void a_timer_fires_at_its_deadline_and_not_a_nanosecond_early(void **state)
{
    (void)state;
    for (int bits = 0; bits < 50; bits++) {
        struct lan_timer timer = {.fire = count};
        uint64_t deadline = now + ((uint64_t)1 << bits) + random64() % 1000;
        fired = 0;
        lan_timer_set(&timers, &timer, deadline);
        assert_true(lan_timers_next(&timers) == deadline);
        run_at(deadline - 1);
        assert_int_equal(fired, 0);
        assert_true(lan_timers_next(&timers) == deadline);
        run_at(deadline);
        assert_int_equal(fired, 1);
        assert_false(lan_timer_running(&timer));
    }
}

static void a_deadline_in_the_past_fires_at_the_next_run(void **state)
{
    (void)state;
    struct lan_timer timer = {.fire = count};
    lan_timer_set(&timers, &timer, now - 5);
    assert_true(lan_timers_next(&timers) <= now);
    run_at(now);
    assert_int_equal(fired, 1);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    struct lan_timer first = {.fire = count}, second = {.fire = count};
    lan_timer_set(&timers, &first, now + 10000);
    lan_timer_set(&timers, &second, now + 10001);
    lan_timer_cancel(&first);
    lan_timer_cancel(&first);
    run_at(now + 20000);
    assert_int_equal(fired, 1);
    assert_true(lan_timers_next(&timers) == UINT64_MAX);
}

static void setting_a_running_timer_moves_it(void **state)
{
    (void)state;
    struct lan_timer timer = {.fire = count};
    uint64_t start = now;
    lan_timer_set(&timers, &timer, start + 100);
    lan_timer_set(&timers, &timer, start + 500000);
    run_at(start + 499999);
    assert_int_equal(fired, 0);
    run_at(start + 500000);
    assert_int_equal(fired, 1);
}

static struct lan_timer victim;

static void cancel_victim(struct lan_timer *timer)
{
    count(timer);
    lan_timer_cancel(&victim);
}

static void a_timer_may_cancel_one_that_is_due_with_it(void **state)
{
    (void)state;
    struct lan_timer killer = {.fire = cancel_victim};
    victim = (struct lan_timer){.fire = count};
    lan_timer_set(&timers, &killer, now + 100);
    lan_timer_set(&timers, &victim, now + 101);
    run_at(now + 200);
    assert_int_equal(fired, 1);
}

static void again_at_once(struct lan_timer *timer)
{
    fired++;
    lan_timer_set(&timers, timer, now);
}

static void a_timer_that_is_always_due_does_not_hold_a_run(void **state)
{
    (void)state;
    struct lan_timer timer = {.fire = again_at_once};
    lan_timer_set(&timers, &timer, now);
    run_at(now);
    assert_int_equal(fired, 1);
    run_at(now);
    assert_int_equal(fired, 2);
}

static void many_timers_fire_in_order_each_once_and_no_wake_is_for_nothing(void **state)
{
    (void)state;
    struct lan_timer *many = calloc(MANY, sizeof *many);
    uint32_t wakes = 0;
    for (int i = 0; i < MANY; i++) {
        many[i].fire = count;
        lan_timer_set(&timers, &many[i], now + (random64() >> (20 + random64() % 40)));
    }
    for (uint64_t next; (next = lan_timers_next(&timers)) != UINT64_MAX; wakes++) {
        uint32_t before = fired;
        run_at(next);
        assert_true(fired > before);
    }
    assert_int_equal(fired, MANY);
    free(many);
}

static void random_sets_and_cancels_agree_with_a_plain_list(void **state)
{
    (void)state;
    enum { TIMERS = 64 };
    static struct lan_timer some[TIMERS];
    uint64_t due[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
        some[i] = (struct lan_timer){.fire = count};
        due[i] = UINT64_MAX;
    }
    for (int step = 0; step < 200000; step++) {
        uint32_t i = random64() % TIMERS;
        uint64_t earliest = UINT64_MAX;
        if (random64() % 3) {
            due[i] = now + (random64() >> (random64() % 44 + 20));
            lan_timer_set(&timers, &some[i], due[i]);
        } else {
            due[i] = UINT64_MAX;
            lan_timer_cancel(&some[i]);
        }
        for (int n = 0; n < TIMERS; n++)
            earliest = due[n] < earliest ? due[n] : earliest;
        assert_true(lan_timers_next(&timers) <= earliest);
        if (random64() % 4 == 0) {
            run_at(now + (random64() >> (random64() % 44 + 20)));
            for (int n = 0; n < TIMERS; n++) {
                assert_int_equal(lan_timer_running(&some[n]), due[n] != UINT64_MAX && due[n] > now);
                if (due[n] <= now)
                    due[n] = UINT64_MAX;
            }
        }
    }
    for (int i = 0; i < TIMERS; i++)
        lan_timer_cancel(&some[i]);
    assert_true(lan_timers_next(&timers) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_timer_has_no_deadline, setup),
        cmocka_unit_test_setup(a_timer_fires_at_its_deadline_and_not_a_nanosecond_early, setup),
        cmocka_unit_test_setup(a_deadline_in_the_past_fires_at_the_next_run, setup),
        cmocka_unit_test_setup(a_cancelled_timer_does_not_fire, setup),
        cmocka_unit_test_setup(setting_a_running_timer_moves_it, setup),
        cmocka_unit_test_setup(a_timer_may_cancel_one_that_is_due_with_it, setup),
        cmocka_unit_test_setup(a_timer_that_is_always_due_does_not_hold_a_run, setup),
        cmocka_unit_test_setup(many_timers_fire_in_order_each_once_and_no_wake_is_for_nothing, setup),
        cmocka_unit_test_setup(random_sets_and_cancels_agree_with_a_plain_list, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
