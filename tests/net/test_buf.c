/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"
#include "cmocka_all.h"
#include "frames.h"
#include "lanyard/buf.h"

#include <stdlib.h>
#include <string.h>

static const struct lan_pool_config CONFIG = {.buffers = 4, .buffer_bytes = 256, .views = 3};

struct pool_fixture {
    void *memory;
    struct lan_pool *pool;
};

static int setup(void **state)
{
    struct pool_fixture *f = calloc(1, sizeof *f);

    f->memory = aligned_alloc(64, (lan_pool_size(&CONFIG) + 63) / 64 * 64);
    f->pool = lan_pool_create(f->memory, &CONFIG);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct pool_fixture *f = *state;

    assert_int_equal(lan_pool_free_buffers(f->pool), CONFIG.buffers);
    assert_int_equal(lan_pool_free_views(f->pool), CONFIG.views);
    free(f->memory);
    free(f);
    return 0;
}

static struct lan_pool *pool(void **state)
{
    return ((struct pool_fixture *)*state)->pool;
}

/* A buffer that holds `text`. */
static struct lan_buf *filled(struct lan_pool *pool, const char *text)
{
    struct lan_buf *buf = lan_buf_alloc(pool, 16);

    memcpy(lan_buf_put(buf, (uint32_t)strlen(text)), text, strlen(text));
    return buf;
}

static void assert_text(const struct lan_buf *buf, const char *text)
{
    char out[512];
    uint32_t bytes = lan_buf_copy(buf, 0, out, sizeof out);

    assert_int_equal(bytes, strlen(text));
    assert_int_equal(lan_buf_total(buf), bytes);
    assert_memory_equal(out, text, bytes);
}

static void a_fresh_buffer_has_the_headroom_asked_for(void **state)
{
    struct lan_buf *buf = lan_buf_alloc(pool(state), 40);

    assert_int_equal(lan_buf_headroom(buf), 40);
    assert_int_equal(lan_buf_tailroom(buf), 216);
    assert_int_equal(buf->len, 0);
    lan_buf_free(buf);
}

static void storage_starts_on_a_cache_line(void **state)
{
    struct lan_buf *a = lan_buf_alloc(pool(state), 0), *b = lan_buf_alloc(pool(state), 0);

    assert_int_equal((uintptr_t)a->data % 64, 0);
    assert_int_equal((uintptr_t)b->data % 64, 0);
    lan_buf_free(a);
    lan_buf_free(b);
}

static void headroom_beyond_the_storage_is_refused(void **state)
{
    assert_null(lan_buf_alloc(pool(state), 257));
}

static void an_empty_pool_gives_nothing_and_recovers(void **state)
{
    struct lan_buf *all[4];

    for (int i = 0; i < 4; i++)
        all[i] = lan_buf_alloc(pool(state), 0);
    assert_null(lan_buf_alloc(pool(state), 0));
    lan_buf_free(all[2]);
    all[2] = lan_buf_alloc(pool(state), 0);
    assert_non_null(all[2]);
    for (int i = 0; i < 4; i++)
        lan_buf_free(all[i]);
}

static void views_run_out_apart_from_buffers(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc"), *views[3];

    for (int i = 0; i < 3; i++)
        views[i] = lan_buf_view(buf, 0, 1);
    assert_null(lan_buf_view(buf, 0, 1));
    for (int i = 0; i < 3; i++)
        lan_buf_free(views[i]);
    lan_buf_free(buf);
}

static void a_view_keeps_the_bytes_alive(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abcdef");
    struct lan_buf *view = lan_buf_view(buf, 2, 3);

    lan_buf_free(buf);
    assert_int_equal(lan_pool_free_buffers(pool(state)), 3);
    assert_text(view, "cde");
    lan_buf_free(view);
}

static void a_view_of_a_view_holds_the_storage_not_the_view(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abcdef");
    struct lan_buf *outer = lan_buf_view(buf, 1, 4);
    struct lan_buf *inner = lan_buf_view(outer, 1, 2);

    lan_buf_free(buf);
    lan_buf_free(outer);
    assert_int_equal(lan_pool_free_views(pool(state)), 2);
    assert_text(inner, "cd");
    lan_buf_free(inner);
}

static void the_last_reference_frees_the_chain(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");

    buf->next = filled(pool(state), "def");
    lan_buf_ref(buf);
    lan_buf_free(buf);
    assert_text(buf, "abcdef");
    lan_buf_free(buf);
}

static void append_cut_moves_whole_fragments_and_shares_the_last(void **state)
{
    struct lan_buf *from = filled(pool(state), "abcd"), *to = filled(pool(state), "X");

    from->next = filled(pool(state), "efgh");
    assert_true(lan_buf_append_cut(to, &from, 6));
    assert_text(to, "Xabcdef");
    assert_text(from, "gh");
    assert_int_equal(lan_pool_free_views(pool(state)), 2);
    lan_buf_free(from);
    assert_text(to, "Xabcdef");
    lan_buf_free(to);
}

static void append_cut_needs_no_view_at_the_end_of_a_fragment(void **state)
{
    struct lan_buf *from = filled(pool(state), "abcd"), *to = filled(pool(state), "X"),
                   *rest = filled(pool(state), "Y");

    from->next = filled(pool(state), "efgh");
    assert_true(lan_buf_append_cut(to, &from, 4));
    assert_text(to, "Xabcd");
    assert_true(lan_buf_append_cut(rest, &from, 4));
    assert_text(rest, "Yefgh");
    assert_null(from);
    assert_int_equal(lan_pool_free_views(pool(state)), 3);
    lan_buf_free(to);
    lan_buf_free(rest);
}

static void append_cut_loses_nothing_when_it_fails(void **state)
{
    struct lan_buf *from = filled(pool(state), "abcd"), *to = filled(pool(state), "X");

    assert_false(lan_buf_append_cut(to, &from, 5)); /* more than there is */
    assert_text(to, "Xabcd");
    assert_null(from);
    from = filled(pool(state), "efgh");

    struct lan_buf *other = filled(pool(state), "Y");
    struct lan_buf *taken[3];

    for (int i = 0; i < 3; i++)
        taken[i] = lan_buf_view(from, 0, 1);
    assert_false(lan_buf_append_cut(other, &from, 2)); /* no view left */
    assert_text(other, "Y");
    assert_text(from, "efgh");
    for (int i = 0; i < 3; i++)
        lan_buf_free(taken[i]);
    lan_buf_free(from);
    lan_buf_free(other);
    lan_buf_free(to);
}

static void pull_crosses_fragments_and_keeps_the_first(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");

    buf->next = filled(pool(state), "de");
    buf->next->next = filled(pool(state), "fgh");
    lan_buf_pull(buf, 6);
    assert_int_equal(buf->len, 0);
    assert_text(buf, "gh");
    assert_int_equal(lan_pool_free_buffers(pool(state)), 2);
    lan_buf_free(buf);
}

static void pull_beyond_the_end_empties_the_chain(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");

    buf->next = filled(pool(state), "de");
    lan_buf_pull(buf, 100);
    assert_text(buf, "");
    lan_buf_free(buf);
}

static void trim_frees_the_fragments_behind(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");

    buf->next = filled(pool(state), "de");
    buf->next->next = filled(pool(state), "fgh");
    lan_buf_trim(buf, 4);
    assert_text(buf, "abcd");
    assert_int_equal(lan_pool_free_buffers(pool(state)), 2);
    lan_buf_trim(buf, 3);
    assert_text(buf, "abc");
    assert_null(buf->next);
    lan_buf_free(buf);
}

static void trim_to_more_than_there_is_changes_nothing(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");

    lan_buf_trim(buf, 10);
    assert_text(buf, "abc");
    lan_buf_free(buf);
}

static void pullup_joins_the_front(void **state)
{
    struct lan_buf *buf = filled(pool(state), "a");

    buf->next = filled(pool(state), "b");
    buf->next->next = filled(pool(state), "cdef");
    assert_true(lan_buf_pullup(buf, 4));
    assert_int_equal(buf->len, 4);
    assert_text(buf, "abcdef");
    lan_buf_free(buf);
}

static void pullup_fails_untouched_on_a_short_chain(void **state)
{
    struct lan_buf *buf = filled(pool(state), "a");

    buf->next = filled(pool(state), "b");
    assert_false(lan_buf_pullup(buf, 3));
    assert_int_equal(buf->len, 1);
    assert_text(buf, "ab");
    lan_buf_free(buf);
}

static void pullup_fails_without_room(void **state)
{
    struct lan_buf *buf = lan_buf_alloc(pool(state), 255);

    lan_buf_put(buf, 1)[0] = 'a';
    buf->next = filled(pool(state), "bcd");
    assert_false(lan_buf_pullup(buf, 3));
    assert_text(buf, "abcd");
    lan_buf_free(buf);
}

static void copy_starts_anywhere_and_stops_at_the_end(void **state)
{
    struct lan_buf *buf = filled(pool(state), "abc");
    char out[8];

    buf->next = filled(pool(state), "def");
    assert_int_equal(lan_buf_copy(buf, 2, out, 3), 3);
    assert_memory_equal(out, "cde", 3);
    assert_int_equal(lan_buf_copy(buf, 4, out, 8), 2);
    assert_int_equal(lan_buf_copy(buf, 6, out, 8), 0);
    lan_buf_free(buf);
}

/* The checksum of RFC 1071 against the byte-by-byte one of the tests, at every length and alignment. */
static void the_sum_is_right_at_every_length_and_alignment(void **state)
{
    uint8_t data[320];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 151 + 7) | (i % 7 == 0 ? 0xff : 0);
    for (size_t start = 0; start < 8; start++)
        for (size_t bytes = 0; bytes <= 300; bytes++) {
            uint16_t sum = lan_sum_fold(lan_sum(data + start, bytes, 0));
            uint8_t field[2];

            memcpy(field, &sum, 2);
            assert_int_equal((uint16_t)~get16(field), internet_checksum(data + start, bytes, 0));
        }
}

static void the_sum_carries_around_over_all_ones(void **state)
{
    static uint8_t ones[65535];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(lan_sum_fold(lan_sum(ones, 65534, 0xffffffff)), 0xffff);
}

static void the_sum_of_a_chain_does_not_depend_on_its_cuts(void **state)
{
    const char *text = "the quick brown fox jumps";
    uint32_t bytes = (uint32_t)strlen(text);
    uint16_t whole = lan_sum_fold(lan_sum(text, bytes, 0));

    for (uint32_t cut = 1; cut < bytes; cut++) {
        struct lan_buf *all = filled(pool(state), text), *chain = lan_buf_view(all, 0, cut);

        chain->next = lan_buf_view(all, cut, bytes - cut);
        assert_int_equal(lan_sum_fold(lan_sum_buf(chain, 0, bytes, 0)), whole);
        assert_int_equal(lan_sum_fold(lan_sum_buf(chain, 3, bytes - 3, 0)),
                         lan_sum_fold(lan_sum(text + 3, bytes - 3, 0)));
        lan_buf_free(chain);
        lan_buf_free(all);
    }
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_fresh_buffer_has_the_headroom_asked_for),
        POOL_TEST(storage_starts_on_a_cache_line),
        POOL_TEST(headroom_beyond_the_storage_is_refused),
        POOL_TEST(an_empty_pool_gives_nothing_and_recovers),
        POOL_TEST(views_run_out_apart_from_buffers),
        POOL_TEST(a_view_keeps_the_bytes_alive),
        POOL_TEST(a_view_of_a_view_holds_the_storage_not_the_view),
        POOL_TEST(the_last_reference_frees_the_chain),
        POOL_TEST(append_cut_moves_whole_fragments_and_shares_the_last),
        POOL_TEST(append_cut_needs_no_view_at_the_end_of_a_fragment),
        POOL_TEST(append_cut_loses_nothing_when_it_fails),
        POOL_TEST(pull_crosses_fragments_and_keeps_the_first),
        POOL_TEST(pull_beyond_the_end_empties_the_chain),
        POOL_TEST(trim_frees_the_fragments_behind),
        POOL_TEST(trim_to_more_than_there_is_changes_nothing),
        POOL_TEST(pullup_joins_the_front),
        POOL_TEST(pullup_fails_untouched_on_a_short_chain),
        POOL_TEST(pullup_fails_without_room),
        POOL_TEST(copy_starts_anywhere_and_stops_at_the_end),
        POOL_TEST(the_sum_is_right_at_every_length_and_alignment),
        POOL_TEST(the_sum_carries_around_over_all_ones),
        POOL_TEST(the_sum_of_a_chain_does_not_depend_on_its_cuts),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
