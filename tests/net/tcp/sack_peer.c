/* SPDX-License-Identifier: Apache-2.0 */
#include "sack_peer.h"

uint32_t seq_of(uint32_t segment)
{
    return 1 + segment * MSS;
}

void put_seq(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

void sack_bytes(struct peer *p, uint32_t ack, const struct block *blocks, uint32_t n)
{
    uint8_t option[4 + 4 * 8] = {1, 1, 5, (uint8_t)(2 + 8 * n)};
    for (uint32_t i = 0; i < n; i++) {
        put_seq(option + 4 + 8 * i, p->host_iss + blocks[i].from);
        put_seq(option + 8 + 8 * i, p->host_iss + blocks[i].to);
    }
    from_peer_options(p, ACK, 1, ack, option, 4 + 8 * n);
}

void sack(struct peer *p, uint32_t ack, uint32_t from, uint32_t to)
{
    sack_bytes(p, seq_of(ack), &(struct block){seq_of(from), seq_of(to)}, 1);
}

void expect_segment(struct peer *p, uint32_t segment)
{
    expect(p, ACK, seq_of(segment), 1, MSS);
}

int sack_setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    struct peer *p = &peer;
    passive_open_with(p, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8, RTT_MS);
    host_sends(p, 1, 2 * MSS);
    skip_sent(p);
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, seq_of(2), 0);
    *state = p;
    return 0;
}

void send_flight(struct peer *p, uint32_t from, uint32_t to)
{
    host_sends(p, seq_of(from), (to - from) * MSS);
    for (uint32_t i = from; i < to; i++)
        expect_segment(p, i);
    wait_ms(p, RTT_MS);
}
