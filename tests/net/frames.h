/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_FRAMES_H
#define LANYARD_TESTS_NET_FRAMES_H

/* Frames from the peer to the host, built and read without help of the stack. Numbers are in host order, addresses
 * written as in ADDRESS(192, 0, 2, 1) and kept in network order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ADDRESS(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#else
#define ADDRESS(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#endif
#define PEER ADDRESS(192, 0, 2, 1)
#define HOST ADDRESS(192, 0, 2, 2)
#define NETMASK ADDRESS(255, 255, 255, 0)

extern const uint8_t PEER_MAC[6], HOST_MAC[6], BROADCAST_MAC[6];

enum { ETH = 14, IP = 20, UDP = 8, ICMP = 8 };
enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806 };
enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

struct frame {
    uint32_t len;
    uint8_t bytes[65536 + 64];
};

/* Host order to network order and back. */
static inline uint16_t net16(uint16_t v)
{
    const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    memcpy(&v, bytes, sizeof v);
    return v;
}

uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p); /* network order, as addresses are kept */
void put16(uint8_t *p, uint16_t v);
void put32(uint8_t *p, uint32_t v);

/* The Internet checksum the slow way, byte by byte; 0 over data that holds its own right one. */
uint16_t internet_checksum(const uint8_t *data, size_t bytes, uint32_t sum);
uint32_t pseudo_sum(const uint8_t *ip, uint32_t l4_bytes);

/* Each starts the frame anew; whatever is special in a test it changes afterwards. */
void frame_arp(struct frame *f, uint16_t operation, const uint8_t sender_mac[6], uint32_t sender, uint32_t target);
void frame_ip(struct frame *f, uint32_t src, uint32_t dst, uint8_t protocol, const void *payload, uint32_t bytes);
void frame_icmp(struct frame *f, uint8_t type, uint8_t code, const void *payload, uint32_t bytes);
void frame_udp(struct frame *f, uint16_t src_port, uint16_t dst_port, const void *payload, uint32_t bytes);

/* A piece of the IP payload that `whole` carries: its header, `bytes` bytes from `offset`. */
void frame_fragment(struct frame *f, const struct frame *whole, uint32_t offset, uint32_t bytes, bool more);

/* Puts `option_bytes` (a multiple of 4) of options into the IP header. */
void frame_ip_options(struct frame *f, const void *options, uint32_t option_bytes);

/* Mends the checksums after a change. */
void fix_ip(struct frame *f);
void fix_l4(struct frame *f);

/* Whether a frame that the stack sent has right lengths and checksums all the way up. Whole datagrams only for L4. */
bool frame_valid(const struct frame *f);

#endif
