/* SPDX-License-Identifier: Apache-2.0 */
/* Header prediction (Jacobson 1988): in a transfer nearly every packet is the one that had to come. From the peer of an
 * established connection, whole, next in order, with no option but the time stamp, no flag but ACK and PSH, all of it
 * within the window: what IP and the steps of RFC 9293 3.10.7.4 would find is known then. Whatever is not so goes their
 * way, and must come to the same where both apply.
 *
 * Of packets that have arrived together, those that continue the first one are taken with it, as one large segment:
 * what follows costs the same for thirty as for one, and one ACK does for all of them. */

#include "netif_internal.h"
#include "tcp_internal.h"

/* A packet without IP options, by offset. */
enum {
    IP_LENGTH = 2,
    IP_FRAGMENT = 6,
    IP_TTL = 8,
    IP_PROTOCOL = 9,
    IP_SRC = 12,
    IP_DST = 16,
    SOURCE_PORT = LAN_IP_HEADER,
    DESTINATION_PORT = SOURCE_PORT + 2,
    SEQUENCE = SOURCE_PORT + 4,
    ACKNOWLEDGMENT = SOURCE_PORT + 8,
    FLAGS = SOURCE_PORT + 12,
    WINDOW = SOURCE_PORT + 14,
    STAMP = SOURCE_PORT + LAN_TCP_HEADER,
    BARE = STAMP,
    STAMPED = STAMP + LAN_TCP_STAMP_BYTES,
};
enum { VERSION_AND_LENGTH = 0x45, CE = 3 /* of the TOS octet */, DONT_FRAGMENT = 0x4000 };

/* Under way beside the plain transfer. */
enum { UNPREDICTABLE = TCB_FIN_ARRIVED | TCB_PROBING };
enum { TO_OTHERS = LAN_BUF_BROADCAST | LAN_BUF_MULTICAST };

static inline bool is_plain_packet(const struct lan_netif *netif, const struct lan_buf *packet)
{
    const uint8_t *ip = packet->data;
    return packet->len >= BARE && ip[0] == VERSION_AND_LENGTH && (ip[1] & CE) != CE &&
           ip[IP_PROTOCOL] == LAN_IPPROTO_TCP &&
           !(lan_load16(ip + IP_FRAGMENT) & lan_htons((uint16_t)~DONT_FRAGMENT)) &&
           lan_load32(ip + IP_DST) == netif->address && !(packet->flags & TO_OTHERS);
}

/* Data offset, reserved bits and flags of a header with nothing unusual; PSH may be set or not. */
static inline uint16_t plain_flags(uint32_t headers)
{
    return lan_htons((uint16_t)((headers - LAN_IP_HEADER) << 10 | SEG_ACK));
}

static inline bool is_plain_header(const struct lan_tcb *tcb, const struct lan_buf *packet, uint32_t *headers)
{
    const uint8_t *ip = packet->data;
    uint16_t word = lan_load16(ip + FLAGS) & lan_htons((uint16_t)~SEG_PSH);
    if (!(tcb->flags & TCB_TIMESTAMPS)) {
        *headers = BARE;
        return word == plain_flags(BARE);
    }
    *headers = STAMPED;
    return word == plain_flags(STAMPED) && packet->len >= STAMPED && lan_get32(ip + STAMP) == LAN_TCP_PADDED_TIMESTAMP;
}

/* As the card found them, or else summed; of the `bytes` of a packet that starts at `offset`. */
static inline bool sums_right(const struct lan_buf *frame, uint32_t offset, uint32_t bytes)
{
    const uint8_t *ip = frame->data + offset;
    if (!(frame->flags & LAN_BUF_IP_OK) && lan_sum_fold(lan_sum(ip, LAN_IP_HEADER, 0)) != 0xffff)
        return false;
    if (frame->flags & LAN_BUF_L4_CHECKED)
        return frame->flags & LAN_BUF_L4_OK;
    uint32_t l4_bytes = bytes - LAN_IP_HEADER;
    uint32_t pseudo = lan_sum_pseudo(lan_load32(ip + IP_SRC), lan_load32(ip + IP_DST), LAN_IPPROTO_TCP, l4_bytes);
    return lan_sum_fold(lan_sum_buf(frame, offset + LAN_IP_HEADER, l4_bytes, pseudo)) == 0xffff;
}

static inline bool same32(const uint8_t *a, const uint8_t *b, uint32_t offset)
{
    return lan_load32(a + offset) == lan_load32(b + offset);
}

static inline bool same16(const uint8_t *a, const uint8_t *b, uint32_t offset)
{
    return lan_load16(a + offset) == lan_load16(b + offset);
}

/* Whether two packets of which `first` is plain differ in place, length, identification and sums only. */
static inline bool same_headers(const uint8_t *first, const uint8_t *ip, uint32_t headers)
{
    uint16_t other_flags = (lan_load16(first + FLAGS) ^ lan_load16(ip + FLAGS)) & lan_htons((uint16_t)~SEG_PSH);
    return same16(first, ip, 0) && same16(first, ip, IP_FRAGMENT) && same16(first, ip, IP_TTL) &&
           same32(first, ip, IP_SRC) && same32(first, ip, IP_DST) && same32(first, ip, SOURCE_PORT) &&
           same32(first, ip, ACKNOWLEDGMENT) && !other_flags && same16(first, ip, WINDOW) &&
           (headers == BARE ||
            (same32(first, ip, STAMP) && same32(first, ip, STAMP + 4) && same32(first, ip, STAMP + 8)));
}

/* Bytes of payload of a frame that has arrived behind the plain packet `first`, if it continues at `seq`; else 0. */
static uint32_t continuation(const struct lan_netif *netif, const struct lan_buf *frame, const uint8_t *first,
                             uint32_t headers, uint32_t seq)
{
    const uint8_t *link = frame->data, *ip = link + LAN_ETH_HEADER;
    if ((uintptr_t)ip % 4 || frame->next || frame->len < LAN_ETH_HEADER + headers || frame->flags & LAN_BUF_VLAN ||
        !lan_same_mac(link, netif->mac) || lan_get16(ip - 2) != LAN_ETH_IPV4 || lan_get32(ip + SEQUENCE) != seq ||
        !same_headers(first, ip, headers))
        return 0;
    uint32_t total = lan_get16(ip + IP_LENGTH);
    if (total <= headers || total > frame->len - LAN_ETH_HEADER || !sums_right(frame, LAN_ETH_HEADER, total))
        return 0;
    return total - headers;
}

/* Small payloads stay apart, as they are copied together (tcp_reassembly.c). */
static inline bool is_large(const struct lan_buf *payload)
{
    return !payload->next && payload->len >= payload->capacity / 2;
}

/* Chains the payload of whatever continues `payload`, whose headers are at `first`, to it. Returns how many bytes that
 * is, `room` at most. */
static uint32_t take_continuations(struct lan_netif *netif, struct lan_buf *payload, const uint8_t *first,
                                   uint32_t headers, uint32_t room)
{
    uint32_t seq = lan_get32(first + SEQUENCE) + payload->len, taken = 0;
    while (netif->arrived && is_large(payload)) {
        uint32_t bytes = continuation(netif, netif->arrived, first, headers, seq + taken);
        if (!bytes || bytes > room - taken)
            break;
        LAN_COUNT(netif->stack, ip_in_receives);
        LAN_COUNT(netif->stack, ip_in_delivers);
        LAN_COUNT(netif->stack, tcp_in_segs);
        payload->next = lan_netif_take(netif);
        payload = payload->next;
        lan_buf_pull(payload, LAN_ETH_HEADER + headers);
        payload->len = bytes; /* without padding */
        taken += bytes;
    }
    return taken;
}

/* Takes an ACK of something new: by the short way, or with what lan_tcp_acknowledge() needs to know of the segment. */
static inline void acknowledge(struct lan_tcb *tcb, const uint8_t *ip, uint32_t window, uint32_t bytes)
{
    uint32_t ack = lan_get32(ip + ACKNOWLEDGMENT);
    uint32_t tsecr = tcb->flags & TCB_TIMESTAMPS ? lan_get32(ip + STAMP + 8) : 0;
    if (lan_tcp_acknowledge_new(tcb, ack, tsecr))
        return;
    struct lan_tcp_segment segment;
    segment.seq = tcb->rcv_nxt;
    segment.ack = ack;
    segment.window = window;
    segment.bytes = segment.len = bytes;
    segment.flags = SEG_ACK;
    segment.ecn = segment.sacks = 0;
    segment.tsecr = tsecr;
    lan_tcp_acknowledge(tcb, &segment);
}

static inline void take_window(struct lan_tcb *tcb, uint32_t window)
{
    if (lan_seq_lt(tcb->rcv_nxt, tcb->snd_wl1)) /* what is beyond a gap has told a later one */
        return;
    tcb->snd_wnd = window;
    tcb->snd_wl1 = tcb->rcv_nxt;
    tcb->snd_wl2 = tcb->snd_una;
    if (window > tcb->snd_max_wnd)
        tcb->snd_max_wnd = window;
}

/* What a plain packet holds. */
struct segment {
    uint32_t headers, bytes; /* before and of its payload */
    uint32_t news;           /* bytes that it acknowledges */
};

/* The established connection that had to receive just this packet next; NULL: there is none. */
static inline struct lan_tcb *find_expecting(struct lan_netif *netif, const struct lan_buf *packet,
                                             struct segment *segment)
{
    const uint8_t *ip = packet->data;
    if (!is_plain_packet(netif, packet))
        return NULL;
    struct lan_tcb *tcb = lan_tcp_find(&netif->stack->tcp, netif->address, lan_load16(ip + DESTINATION_PORT),
                                       lan_load32(ip + IP_SRC), lan_load16(ip + SOURCE_PORT));
    if (!tcb || tcb->state != LAN_TCP_ESTABLISHED || tcb->flags & UNPREDICTABLE || !tcb->socket ||
        tcb->flow.netif != netif || !is_plain_header(tcb, packet, &segment->headers) ||
        lan_get32(ip + SEQUENCE) != tcb->rcv_nxt)
        return NULL;
    uint32_t total = lan_get16(ip + IP_LENGTH);
    segment->bytes = total - segment->headers;
    segment->news = lan_get32(ip + ACKNOWLEDGMENT) - tcb->snd_una;
    if (total > lan_buf_total(packet) || total < segment->headers || segment->bytes > tcb->rcv_adv - tcb->rcv_nxt ||
        segment->news > tcb->snd_nxt - tcb->snd_una || !(segment->bytes || segment->news))
        return NULL;
    if (tcb->flags & TCB_TIMESTAMPS && lan_seq_lt(lan_get32(ip + STAMP + 4), tcb->ts_recent))
        return NULL;
    return sums_right(packet, 0, total) ? tcb : NULL;
}

bool lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet)
{
    const uint8_t *ip = packet->data;
    struct segment segment;
    struct lan_tcb *tcb = find_expecting(netif, packet, &segment);
    if (!tcb)
        return false;
    LAN_COUNT(tcb->stack, ip_in_delivers);
    LAN_COUNT(tcb->stack, tcp_in_segs);
    lan_tcp_enter(tcb->stack);
    if (tcb->flags & TCB_TIMESTAMPS && lan_seq_leq(tcb->rcv_nxt, tcb->rcv_acked))
        lan_tcp_timestamp_take(tcb, lan_get32(ip + STAMP + 4));
    if (tcb->flags & TCB_KEEPALIVE)
        lan_tcp_arm_keepalive(tcb);
    lan_tcp_note_size(tcb, segment.bytes);
    lan_buf_pull(packet, segment.headers);
    if (lan_buf_total(packet) > segment.bytes) /* padding */
        lan_buf_trim(packet, segment.bytes);
    uint32_t window = (uint32_t)lan_get16(ip + WINDOW) << tcb->snd_scale;
    uint32_t room = tcb->rcv_adv - tcb->rcv_nxt - segment.bytes;
    uint32_t bytes = segment.bytes + take_continuations(netif, packet, ip, segment.headers, room);
    if (segment.news)
        acknowledge(tcb, ip, window, bytes);
    take_window(tcb, window);
    if (bytes)
        lan_tcp_receive(tcb, packet, tcb->rcv_nxt, bytes);
    else
        lan_buf_free(packet);
    if (tcb->snd_queued)
        lan_tcp_output(tcb);
    else
        lan_tcp_output_ack(tcb);
    return true;
}
