/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_UDP_FIXTURE_H
#define LANYARD_TESTS_NET_UDP_FIXTURE_H

/* What the tests of UDP share. Sockets do not block; ports are in host order. */

#include "fixture.h"

struct lan_sockaddr_in address(uint32_t ip, uint16_t port);

int udp_socket(struct fixture *f);
int bound(struct fixture *f, uint32_t ip, uint16_t port);

/* The UDP header of a frame that must carry one. */
const uint8_t *udp_of(const struct frame *frame);

void inject_udp(struct fixture *f, uint16_t from, uint16_t to, const char *text);

/* The next datagram of a socket must be just `text`; there must be none. */
void expect_text(struct fixture *f, int fd, const char *text);
void expect_nothing(struct fixture *f, int fd);

#endif
