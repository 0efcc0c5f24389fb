/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

const uint8_t PEER_MAC[6] = {0x02, 0, 0, 0, 0, 0x01};
const uint8_t HOST_MAC[6] = {0x02, 0, 0, 0, 0, 0x02};
const uint8_t BROADCAST_MAC[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

uint16_t internet_checksum(const uint8_t *data, size_t bytes, uint32_t sum)
{
    for (size_t i = 0; i < bytes; i++) {
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

uint32_t pseudo_sum(const uint8_t *ip, uint32_t l4_bytes)
{
    uint32_t sum = ip[9] + l4_bytes;

    for (int i = 12; i < 20; i += 2)
        sum += get16(ip + i);
    return sum;
}

static void frame_eth(struct frame *f, const uint8_t to[6], const uint8_t from[6], uint16_t type)
{
    memset(f->bytes, 0, ETH + 60);
    memcpy(f->bytes, to, 6);
    memcpy(f->bytes + 6, from, 6);
    put16(f->bytes + 12, type);
}

void frame_arp(struct frame *f, uint16_t operation, const uint8_t sender_mac[6], uint32_t sender, uint32_t target)
{
    uint8_t *arp = f->bytes + ETH;

    frame_eth(f, operation == 1 ? BROADCAST_MAC : HOST_MAC, sender_mac, TYPE_ARP);
    put16(arp, 1);
    put16(arp + 2, TYPE_IP);
    arp[4] = 6;
    arp[5] = 4;
    put16(arp + 6, operation);
    memcpy(arp + 8, sender_mac, 6);
    put32(arp + 14, sender);
    if (operation == 2)
        memcpy(arp + 18, HOST_MAC, 6);
    put32(arp + 24, target);
    f->len = 60;
}

void frame_ip(struct frame *f, uint32_t src, uint32_t dst, uint8_t protocol, const void *payload, uint32_t bytes)
{
    uint8_t *ip = f->bytes + ETH;

    frame_eth(f, HOST_MAC, PEER_MAC, TYPE_IP);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)(IP + bytes));
    put16(ip + 4, 0x1234);
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, src);
    put32(ip + 16, dst);
    if (bytes)
        memcpy(ip + IP, payload, bytes);
    f->len = ETH + IP + bytes;
    fix_ip(f);
}

static uint32_t header_bytes(const struct frame *f)
{
    return (f->bytes[ETH] & 15u) * 4;
}

void fix_ip(struct frame *f)
{
    uint8_t *ip = f->bytes + ETH;

    put16(ip + 10, 0);
    put16(ip + 10, internet_checksum(ip, header_bytes(f), 0));
}

void fix_l4(struct frame *f)
{
    uint8_t *ip = f->bytes + ETH;
    uint8_t *l4 = ip + header_bytes(f);
    uint32_t bytes = get16(ip + 2) - header_bytes(f);

    if (ip[9] == PROTOCOL_ICMP) {
        put16(l4 + 2, 0);
        put16(l4 + 2, internet_checksum(l4, bytes, 0));
    } else {
        uint8_t *field = l4 + (ip[9] == PROTOCOL_UDP ? 6 : 16);

        put16(field, 0);
        put16(field, internet_checksum(l4, bytes, pseudo_sum(ip, bytes)));
    }
}

void frame_icmp(struct frame *f, uint8_t type, uint8_t code, const void *payload, uint32_t bytes)
{
    static uint8_t message[65536];

    memset(message, 0, ICMP);
    message[0] = type;
    message[1] = code;
    if (bytes)
        memcpy(message + ICMP, payload, bytes);
    frame_ip(f, PEER, HOST, PROTOCOL_ICMP, message, ICMP + bytes);
    fix_l4(f);
}

void frame_udp(struct frame *f, uint16_t src_port, uint16_t dst_port, const void *payload, uint32_t bytes)
{
    static uint8_t datagram[65536];

    put16(datagram, src_port);
    put16(datagram + 2, dst_port);
    put16(datagram + 4, (uint16_t)(UDP + bytes));
    if (bytes)
        memcpy(datagram + UDP, payload, bytes);
    frame_ip(f, PEER, HOST, PROTOCOL_UDP, datagram, UDP + bytes);
    fix_l4(f);
}

void frame_fragment(struct frame *f, const struct frame *whole, uint32_t offset, uint32_t bytes, bool more)
{
    uint32_t header = header_bytes(whole);

    memcpy(f->bytes, whole->bytes, ETH + header);
    memcpy(f->bytes + ETH + header, whole->bytes + ETH + header + offset, bytes);
    put16(f->bytes + ETH + 2, (uint16_t)(header + bytes));
    put16(f->bytes + ETH + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
    f->len = ETH + header + bytes;
    fix_ip(f);
}

void frame_ip_options(struct frame *f, const void *options, uint32_t option_bytes)
{
    uint8_t *ip = f->bytes + ETH;

    memmove(ip + IP + option_bytes, ip + IP, f->len - ETH - IP);
    memcpy(ip + IP, options, option_bytes);
    ip[0] = (uint8_t)(0x40 | (IP + option_bytes) / 4);
    put16(ip + 2, (uint16_t)(get16(ip + 2) + option_bytes));
    f->len += option_bytes;
    fix_ip(f);
}

static bool ip_valid(const struct frame *f)
{
    const uint8_t *ip = f->bytes + ETH;
    uint32_t header = header_bytes(f);
    uint32_t total = get16(ip + 2);

    if (ip[0] != 0x45 || total < header || ETH + total != f->len || internet_checksum(ip, header, 0))
        return false;
    if (get16(ip + 6) & 0x3fff)
        return true;
    if (ip[9] == PROTOCOL_ICMP)
        return internet_checksum(ip + header, total - header, 0) == 0;
    if (ip[9] == PROTOCOL_UDP && get16(ip + header + 4) != total - header)
        return false;
    return internet_checksum(ip + header, total - header, pseudo_sum(ip, total - header)) == 0;
}

bool frame_valid(const struct frame *f)
{
    if (f->len < ETH || memcmp(f->bytes + 6, HOST_MAC, 6) != 0)
        return false;
    return get16(f->bytes + 12) == TYPE_IP ? ip_valid(f) : get16(f->bytes + 12) == TYPE_ARP && f->len == ETH + 28;
}
