/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, against the C library's calendar. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "http_date.h"

#include <string.h>
#include <time.h>

static void dates_are_written_as_the_library_writes_them(void **state)
{
    (void)state;
    for (int64_t seconds = 0; seconds < INT64_C(253402300800); seconds += 86400 * 13 + 40271) {
        char ours[64], theirs[64];
        time_t time = (time_t)seconds;
        struct lan_text text = lan_text(ours, sizeof ours);
        lan_http_date_add(&text, seconds);
        ours[text.len] = '\0';
        strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&time));
        assert_string_equal(ours, theirs);
        assert_true(lan_http_date_parse(ours) == seconds);
    }
}

static void all_three_forms_are_read(void **state)
{
    (void)state;
    assert_int_equal(lan_http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    assert_int_equal(lan_http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    assert_int_equal(lan_http_date_parse("Sun Nov  6 08:49:37 1994"), 784111777);
    assert_int_equal(lan_http_date_parse("Wednesday, 01-Jan-20 00:00:00 GMT"), 1577836800);
    assert_int_equal(lan_http_date_parse("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800);
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        ",",
        "Sun",
        "Sun Nov",
        "now",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 31 Jun 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (lan_http_date_parse(BAD[i]) != -1)
            fail_msg("%s", BAD[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_as_the_library_writes_them),
        cmocka_unit_test(all_three_forms_are_read),
        cmocka_unit_test(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
