/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"
#include "lanyard/address.h"

#include <arpa/inet.h>

static void addresses_are_read_with_and_without_port(void **state)
{
    (void)state;
    struct lan_sockaddr_in address;
    assert_int_equal(lan_sockaddr_parse("192.0.2.1", 80, &address), 9);
    assert_int_equal(address.sin_family, LAN_AF_INET);
    assert_int_equal(address.sin_addr, inet_addr("192.0.2.1"));
    assert_int_equal(address.sin_port, htons(80));
    assert_int_equal(lan_sockaddr_parse("0.0.0.0:65535/x", 80, &address), 13);
    assert_int_equal(address.sin_port, htons(65535));
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",         "1.2.3",     "1.2.3.",      "1.2.3.256",
                                      "1..2.3",   "01.2.3.4",  "a.b.c.d",     "1.2.3.-4",
                                      "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:a",   "1.2.3.4:65536",
                                      " 1.2.3.4", ":80",       "1.2.3.4:080", "1.2.3.4294967296"};
    struct lan_sockaddr_in address;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (lan_sockaddr_parse(BAD[i], 80, &address) != 0)
            fail_msg("%s", BAD[i]);
    }
}

static void addresses_are_written_as_they_are_read(void **state)
{
    (void)state;
    char text[LAN_ADDRESS_BYTES];
    struct lan_sockaddr_in address = lan_sockaddr(0xffffffff, 65535);
    assert_string_equal(lan_sockaddr_format(&address, text), "255.255.255.255:65535");
    address = lan_sockaddr(0xc0000201, 80);
    assert_string_equal(lan_sockaddr_format(&address, text), "192.0.2.1:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_with_and_without_port),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(addresses_are_written_as_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
