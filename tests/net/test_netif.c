/* SPDX-License-Identifier: Apache-2.0 */
/* The transmit queue, the link, and what is done in software for a netif that cannot do it. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

/* Frames are put together below TCP and UDP, so the inside of the stack is needed. */
#include "checksum.h"
#include "netif_internal.h"
#include "stack_internal.h"

enum { TCP_BYTES = 20, MSS = 1000 };

static uint8_t data[65536];

/* A TCP segment as TCP hands it down: headers in one fragment, data behind in fragments of `piece` bytes. */
static struct lan_buf *segment(struct fixture *f, uint32_t bytes, uint32_t piece, uint32_t flags)
{
    struct lan_pool *pool = lan_stack_pool(f->stack);
    struct lan_buf *head = lan_buf_alloc(pool, LAN_HEADROOM), *tail = head;
    uint8_t *tcp = lan_buf_put(head, TCP_BYTES);

    memset(tcp, 0, TCP_BYTES);
    put16(tcp, 80);
    put16(tcp + 2, 1234);
    tcp[4] = 0x10; /* sequence number 0x10000000 */
    tcp[12] = 0x50;
    tcp[13] = 0x99; /* CWR, ACK, PSH, FIN */
    lan_store16(tcp + 16, lan_sum_fold(lan_sum_pseudo(HOST, PEER, 6, TCP_BYTES + bytes)));
    for (uint32_t done = 0; done < bytes; done += piece) {
        uint32_t take = bytes - done < piece ? bytes - done : piece;

        tail->next = lan_buf_alloc(pool, 0);
        tail = tail->next;
        memcpy(lan_buf_put(tail, take), data + done, take);
    }
    head->flags = LAN_BUF_L4_CSUM | flags;
    head->csum_start = 0;
    head->csum_offset = 16;
    head->hdr_len = TCP_BYTES;
    head->gso_size = MSS;
    return head;
}

static int send_segment(struct fixture *f, struct lan_buf *packet)
{
    struct lan_flow flow;

    assert_int_equal(lan_ip_route(f->stack, PEER, 0, &flow), 0);
    return lan_ip_output(f->stack, &flow, packet, 6, 0, 64);
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;

    meet_peer(f);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 17 + i / 256);
    return result;
}

static void checksums_are_filled_in_for_a_netif_without(void **state)
{
    struct fixture *f = *state;

    for (uint32_t bytes = 0; bytes < 1400; bytes += 137) {
        send_segment(f, segment(f, bytes, 700, 0));
        assert_memory_equal(expect_frame(f)->bytes + ETH + IP + TCP_BYTES, data, bytes); /* and valid */
    }
}

static void a_capable_netif_gets_the_request_untouched(void **state)
{
    struct fixture *f = *state;
    struct frame *frame;

    f->netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM;
    send_segment(f, segment(f, 100, 100, 0));
    frame = &f->sent[f->sent_tail++ % FIXTURE_SENT_MAX];
    assert_int_equal(get16(frame->bytes + ETH + 10), 0);
    assert_int_equal((uint16_t)~get16(frame->bytes + ETH + IP + 16),
                     internet_checksum((uint8_t[2]){0}, 2, pseudo_sum(frame->bytes + ETH, TCP_BYTES + 100)));
}

static uint32_t flags_seen;
static uint16_t csum_start_seen, hdr_len_seen;
static uint32_t fragments_seen;

static int look(struct lan_netif *netif, struct lan_buf *frame)
{
    (void)netif;
    flags_seen = frame->flags;
    csum_start_seen = frame->csum_start;
    hdr_len_seen = frame->hdr_len;
    fragments_seen = 0;
    for (struct lan_buf *buf = frame; buf; buf = buf->next)
        fragments_seen++;
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops LOOK = {.transmit = look};

static void offload_fields_count_from_the_start_of_the_frame(void **state)
{
    struct fixture *f = *state;

    f->netif.ops = &LOOK;
    f->netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_TSO;
    send_segment(f, segment(f, 5000, 1000, LAN_BUF_TSO));
    assert_int_equal(flags_seen & 7, LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | LAN_BUF_TSO);
    assert_int_equal(csum_start_seen, ETH + IP);
    assert_int_equal(hdr_len_seen, ETH + IP + TCP_BYTES);
}

static void a_frame_of_too_many_fragments_is_joined(void **state)
{
    struct fixture *f = *state;

    f->netif.max_fragments = 4;
    f->netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM;
    f->netif.ops = &LOOK;
    send_segment(f, segment(f, 900, 300, 0));
    assert_int_equal(fragments_seen, 4);
    send_segment(f, segment(f, 900, 200, 0));
    assert_int_equal(fragments_seen, 1);
    f->netif.features &= ~(uint32_t)LAN_NETIF_SG;
    send_segment(f, segment(f, 900, 900, 0));
    assert_int_equal(fragments_seen, 1);
}

static void what_is_done_in_software_is_not_asked_of_the_driver(void **state)
{
    struct fixture *f = *state;

    f->netif.ops = &LOOK;
    send_segment(f, segment(f, 900, 300, 0));
    assert_int_equal(flags_seen & 7, 0);
    f->netif.features |= LAN_NETIF_TX_IP_CSUM;
    send_segment(f, segment(f, 900, 300, 0));
    assert_int_equal(flags_seen & 7, LAN_BUF_IP_CSUM);
}

static void a_frame_too_large_to_be_joined_is_dropped(void **state)
{
    struct fixture *f = *state;

    f->netif.features = 0;
    f->netif.mtu = 4000;
    assert_int_equal(send_segment(f, segment(f, 3000, 1500, 0)), -ENOBUFS);
    assert_int_equal(counter(f, "LinkOutNoBuffers"), 1);
    expect_silence(f);
}

static void a_joined_frame_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;

    f->netif.features = 0;
    send_segment(f, segment(f, 1400, 33, 0));
    assert_memory_equal(expect_frame(f)->bytes + ETH + IP + TCP_BYTES, data, 1400);
}

static void a_large_segment_is_cut_for_a_netif_without_tso(void **state)
{
    struct fixture *f = *state;
    uint16_t id = 0;

    send_segment(f, segment(f, 3500, 600, LAN_BUF_TSO));
    for (uint32_t i = 0; i < 4; i++) {
        const struct frame *frame = expect_frame(f); /* lengths and checksums are valid */
        const uint8_t *ip = frame->bytes + ETH, *tcp = ip + IP;
        uint32_t bytes = i < 3 ? MSS : 500;

        assert_int_equal(frame->len, ETH + IP + TCP_BYTES + bytes);
        if (i > 0)
            assert_int_equal(get16(ip + 4), (uint16_t)(id + 1));
        id = get16(ip + 4);
        assert_int_equal(tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7], 0x10000000 + i * MSS);
        assert_int_equal(tcp[13], i == 0 ? 0x90 : i < 3 ? 0x10 : 0x19);
        assert_memory_equal(tcp + TCP_BYTES, data + i * MSS, bytes);
    }
    expect_silence(f);
}

static void a_large_segment_of_one_mss_keeps_all_its_flags(void **state)
{
    struct fixture *f = *state;

    send_segment(f, segment(f, MSS, 600, LAN_BUF_TSO));
    assert_int_equal(expect_frame(f)->bytes[ETH + IP + 13], 0x99);
    expect_silence(f);
}

static void the_largest_segment_is_cut(void **state)
{
    struct fixture *f = *state;

    send_segment(f, segment(f, 65000, 2048, LAN_BUF_TSO));
    for (uint32_t i = 0; i < 65; i++)
        assert_memory_equal(expect_frame(f)->bytes + ETH + IP + TCP_BYTES, data + i * MSS, MSS);
    expect_silence(f);
}

static const struct lan_netif_ops *ops_of_fixture;

/* A switch at the end of a trunk: takes the tag off and hands the frame on. */
static int untag(struct lan_netif *netif, struct lan_buf *frame)
{
    assert_int_equal(frame->flags, 0);
    assert_memory_equal(frame->data + 12, ((uint8_t[]){0x81, 0, 0xa0, 0x64}), 4);
    memmove(frame->data + 4, frame->data, 12);
    lan_buf_pull(frame, 4);
    return ops_of_fixture->transmit(netif, frame);
}

static const struct lan_netif_ops TRUNK = {.transmit = untag};

static void tags_are_put_in_for_a_netif_without(void **state)
{
    struct fixture *f = *state;
    struct lan_buf *packet = segment(f, 3500, 600, LAN_BUF_TSO | LAN_BUF_VLAN);

    ops_of_fixture = f->netif.ops;
    f->netif.ops = &TRUNK;
    f->netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM; /* of untagged frames */
    packet->vlan_tci = 0xa064;
    send_segment(f, packet);
    for (uint32_t i = 0; i < 4; i++)
        assert_memory_equal(expect_frame(f)->bytes + ETH + IP + TCP_BYTES, data + i * MSS, i < 3 ? MSS : 500);
    expect_silence(f);
    f->netif.ops = ops_of_fixture;
}

static void a_netif_that_puts_tags_in_gets_the_request_untouched(void **state)
{
    struct fixture *f = *state;

    f->netif.ops = &LOOK;
    f->netif.features |= LAN_NETIF_VLAN_TX;
    send_segment(f, segment(f, 100, 100, LAN_BUF_VLAN));
    assert_int_equal(flags_seen, LAN_BUF_VLAN);
}

static void input_with_tag(struct fixture *f, uint16_t tci)
{
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);

    struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), 2);

    memcpy(lan_buf_put(buf, request.len), request.bytes, request.len);
    buf->flags = LAN_BUF_VLAN;
    buf->vlan_tci = tci;
    lan_netif_input(&f->netif, buf);
}

static void a_frame_of_another_vlan_is_dropped(void **state)
{
    struct fixture *f = *state;

    input_with_tag(f, 0x0001);
    input_with_tag(f, 0xefff);
    expect_silence(f);
    assert_int_equal(counter(f, "EthInUnknownProtos"), 2);
    assert_int_equal(f->netif.stats.in_unknown_protocols, 2);
}

static void a_frame_with_a_priority_tag_is_taken(void **state)
{
    struct fixture *f = *state;

    input_with_tag(f, 0xe000);
    expect_frame(f); /* the answer */
}

static void a_segment_too_large_for_the_netif_s_tso_is_cut(void **state)
{
    struct fixture *f = *state;

    f->netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_TSO;
    f->netif.max_tso_bytes = 3000;
    f->netif.ops = &LOOK;
    send_segment(f, segment(f, 3500, 600, LAN_BUF_TSO));
    assert_int_equal(flags_seen & LAN_BUF_TSO, 0);
}

static void cutting_stops_when_memory_runs_out(void **state)
{
    struct fixture *f = *state;
    struct lan_buf *packet = segment(f, 3500, 600, LAN_BUF_TSO), *hoard = NULL;

    while (lan_pool_free_buffers(lan_stack_pool(f->stack)) >
           0) { /* the headers' own buffer becomes free when it is cut */
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), 0);

        buf->link = hoard;
        hoard = buf;
    }
    f->transmit_result = -ENOBUFS;                /* the driver keeps nothing back */
    assert_int_equal(send_segment(f, packet), 0); /* the first segment is on its way: not unsent */
    assert_int_equal(counter(f, "LinkOutNoBuffers"), 1);
    while (hoard) {
        struct lan_buf *next = hoard->link;

        lan_buf_free(hoard);
        hoard = next;
    }
    f->transmit_result = 0;
    lan_netif_tx_ready(&f->netif);
    expect_frame(f);
    expect_silence(f);
}

static void cutting_stops_when_views_run_out(void **state)
{
    struct fixture *f = *state;
    struct lan_buf *packet = segment(f, 3500, 600, LAN_BUF_TSO), *hoard = NULL;

    while (lan_pool_free_views(lan_stack_pool(f->stack)) > 1) { /* each segment ends within a piece */
        struct lan_buf *view = lan_buf_view(packet, 0, 1);

        view->link = hoard;
        hoard = view;
    }
    f->transmit_result = -ENOBUFS;
    assert_int_equal(send_segment(f, packet), 0);
    while (hoard) {
        struct lan_buf *next = hoard->link;

        lan_buf_free(hoard);
        hoard = next;
    }
    f->transmit_result = 0;
    lan_netif_tx_ready(&f->netif);
    expect_frame(f);
    expect_silence(f);
}

static void a_segment_beyond_the_mtu_without_tso_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(send_segment(f, segment(f, 1461, 1461, 0)), -EMSGSIZE);
    assert_int_equal(send_segment(f, segment(f, 1460, 1460, 0)), 0);
    expect_frame(f);
}

static void tcp_goes_out_with_df_set(void **state)
{
    struct fixture *f = *state;

    send_segment(f, segment(f, 100, 100, 0));
    assert_int_equal(get16(expect_frame(f)->bytes + ETH + 6), 0x4000);
}

static void a_busy_driver_gets_its_frames_later_and_in_order(void **state)
{
    struct fixture *f = *state;

    f->transmit_result = -ENOBUFS;
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(send_segment(f, segment(f, 10 + i, 100, 0)), 0);
    f->transmit_result = 0;
    assert_int_equal(send_segment(f, segment(f, 20, 100, 0)), 0); /* may not overtake */
    expect_silence(f);
    lan_netif_tx_ready(&f->netif);
    for (uint32_t i = 0; i < 11; i++)
        assert_int_equal(expect_frame(f)->len, ETH + IP + TCP_BYTES + 10 + i);
    assert_int_equal(f->netif.tx_queue_len, 0);
}

static void a_driver_that_is_busy_again_keeps_the_rest(void **state)
{
    struct fixture *f = *state;

    f->transmit_result = -ENOBUFS;
    for (uint32_t i = 0; i < 3; i++)
        send_segment(f, segment(f, 10 + i, 100, 0));
    lan_netif_tx_ready(&f->netif);
    assert_int_equal(f->netif.tx_queue_len, 3);
    f->transmit_result = 0;
    lan_netif_tx_ready(&f->netif);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(expect_frame(f)->len, ETH + IP + TCP_BYTES + 10 + i);
}

static void the_transmit_queue_is_bounded_and_counted(void **state)
{
    struct fixture *f = *state;
    struct lan_buf *one = lan_buf_alloc(lan_stack_pool(f->stack), 0);
    uint32_t refused = 0;

    lan_buf_put(one, 60);
    f->transmit_result = -ENOBUFS;
    for (int i = 0; i < 600; i++)
        refused += send_segment(f, segment(f, 0, 1, 0)) == -ENOBUFS;
    assert_int_equal(refused, 0);
    for (int i = 0; i < 400; i++) { /* views cost no buffer, so more of them fit */
        struct lan_buf *view = lan_buf_view(one, 0, 60);

        lan_netif_transmit(&f->netif, view);
    }
    for (int i = 0; i < 100; i++)
        refused += send_segment(f, segment(f, 0, 1, 0)) == -ENOBUFS;
    assert_int_equal(refused, 76);
    assert_int_equal(counter(f, "LinkOutQueueFull"), 76);
    assert_int_equal(f->netif.stats.out_discards, 76);
    lan_buf_free(one);
    lan_netif_set_link(&f->netif, false);
}

static void without_link_nothing_is_kept(void **state)
{
    struct fixture *f = *state;

    f->transmit_result = -ENOBUFS;
    send_segment(f, segment(f, 10, 100, 0));
    lan_netif_set_link(&f->netif, false);
    assert_int_equal(f->netif.tx_queue_len, 0);
    f->transmit_result = -ENETDOWN;
    assert_int_equal(send_segment(f, segment(f, 10, 100, 0)), -ENETDOWN);
    assert_int_equal(counter(f, "LinkOutNoLink"), 2);
}

static void a_link_that_comes_up_is_announced(void **state)
{
    struct fixture *f = *state;

    lan_netif_set_link(&f->netif, false);
    lan_netif_set_link(&f->netif, true);

    const struct frame *frame = expect_frame(f);

    assert_int_equal(get16(frame->bytes + 12), TYPE_ARP);
    assert_int_equal(get32(frame->bytes + ETH + 24), HOST);
}

static void frames_and_bytes_are_counted(void **state)
{
    struct fixture *f = *state;
    struct lan_netif_stats before = f->netif.stats;
    struct frame request;

    frame_icmp(&request, 8, 0, "x", 1);
    inject(f, &request);
    expect_frame(f);
    assert_int_equal(f->netif.stats.in_frames, before.in_frames + 1);
    assert_int_equal(f->netif.stats.in_bytes, before.in_bytes + request.len);
    assert_int_equal(f->netif.stats.out_frames, before.out_frames + 1);
    assert_int_equal(f->netif.stats.out_bytes, before.out_bytes + request.len);
}

static void an_impossible_netif_is_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_netif netif = {.ops = &LOOK, .mtu = 67}, without = {.mtu = 1500};

    assert_int_equal(lan_stack_add_netif(f->stack, &netif), -EINVAL);
    assert_int_equal(lan_stack_add_netif(f->stack, &without), -EINVAL);
}

/* Without SG each frame has to be joined in one buffer. */
static void a_netif_whose_frames_no_buffer_holds_is_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t fits = f->config.pool.buffer_bytes - ETH - 4;
    static struct lan_netif netif, whole; /* stay attached as long as there is a stack */

    netif = (struct lan_netif){.ops = &LOOK, .mtu = (uint16_t)(fits + 1)};
    assert_int_equal(lan_stack_add_netif(f->stack, &netif), -EINVAL);
    netif.features = LAN_NETIF_SG;
    assert_int_equal(lan_stack_add_netif(f->stack, &netif), 0);
    whole = (struct lan_netif){.ops = &LOOK, .mtu = (uint16_t)fits};
    assert_int_equal(lan_stack_add_netif(f->stack, &whole), 0);
}

static void an_impossible_stack_is_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_config none = f->config, many = f->config;
    size_t bytes = lan_stack_size(&f->config);
    void *memory = test_malloc(bytes + 128);
    void *aligned = (void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);

    none.sockets = 0;
    assert_null(lan_stack_create(aligned, bytes, &f->port, &none));
    many.tcp_connections = UINT32_MAX - 15;
    assert_null(lan_stack_create(aligned, bytes, &f->port, &many));
    assert_null(lan_stack_create(aligned, bytes - 1, &f->port, &f->config));
    assert_null(lan_stack_create(aligned, 1024, &f->port, &f->config));
    assert_null(lan_stack_create((uint8_t *)aligned + 8, bytes, &f->port, &f->config));
    assert_non_null(lan_stack_create(aligned, bytes, &f->port, &f->config));
    test_free(memory);
}

static void counters_can_be_walked_by_name(void **state)
{
    struct fixture *f = *state;
    struct lan_counter all[256];
    size_t count = lan_stack_counters(f->stack, all, 256), found = 0;

    assert_true(count < 256);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(all[i].value, counter(f, all[i].name));
        found += strcmp(all[i].name, "ArpInRequests") == 0 && all[i].value == 1;
    }
    assert_int_equal(found, 1);
    assert_int_equal(lan_stack_counters(f->stack, all, 3), count);
}

#define NETIF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NETIF_TEST(checksums_are_filled_in_for_a_netif_without),
        NETIF_TEST(a_capable_netif_gets_the_request_untouched),
        NETIF_TEST(offload_fields_count_from_the_start_of_the_frame),
        NETIF_TEST(a_frame_of_too_many_fragments_is_joined),
        NETIF_TEST(what_is_done_in_software_is_not_asked_of_the_driver),
        NETIF_TEST(a_frame_too_large_to_be_joined_is_dropped),
        NETIF_TEST(a_joined_frame_keeps_its_bytes),
        NETIF_TEST(a_large_segment_is_cut_for_a_netif_without_tso),
        NETIF_TEST(a_large_segment_of_one_mss_keeps_all_its_flags),
        NETIF_TEST(the_largest_segment_is_cut),
        NETIF_TEST(tags_are_put_in_for_a_netif_without),
        NETIF_TEST(a_netif_that_puts_tags_in_gets_the_request_untouched),
        NETIF_TEST(a_frame_of_another_vlan_is_dropped),
        NETIF_TEST(a_frame_with_a_priority_tag_is_taken),
        NETIF_TEST(a_segment_too_large_for_the_netif_s_tso_is_cut),
        NETIF_TEST(cutting_stops_when_memory_runs_out),
        NETIF_TEST(cutting_stops_when_views_run_out),
        NETIF_TEST(a_segment_beyond_the_mtu_without_tso_is_refused),
        NETIF_TEST(tcp_goes_out_with_df_set),
        NETIF_TEST(a_busy_driver_gets_its_frames_later_and_in_order),
        NETIF_TEST(a_driver_that_is_busy_again_keeps_the_rest),
        NETIF_TEST(the_transmit_queue_is_bounded_and_counted),
        NETIF_TEST(without_link_nothing_is_kept),
        NETIF_TEST(a_link_that_comes_up_is_announced),
        NETIF_TEST(frames_and_bytes_are_counted),
        NETIF_TEST(an_impossible_netif_is_refused),
        NETIF_TEST(a_netif_whose_frames_no_buffer_holds_is_refused),
        NETIF_TEST(an_impossible_stack_is_refused),
        NETIF_TEST(counters_can_be_walked_by_name),
    };

    return cmocka_run_group_tests_name("netif", tests, NULL, NULL);
}
