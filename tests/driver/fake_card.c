/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define CAUSE_TX_DONE NIC__IRQ_CAUSE__TX_DONE_bm
#define CAUSE_RX_DONE NIC__IRQ_CAUSE__RX_DONE_bm
#define CAUSE_RX_OVERFLOW NIC__IRQ_CAUSE__RX_OVERFLOW_bm

#define TX_ENABLE NIC__CONTROL__TX_ENABLE_bm
#define RX_ENABLE NIC__CONTROL__RX_ENABLE_bm
#define HALF_DUPLEX NIC__CONTROL__HALF_DUPLEX_bm

enum { ENABLE = 1, RESET = 2, RUNNING = 1 };

/* The six registers of a ring, in their order. */
struct ring {
    uint32_t base, size, head, tail, control, status;
};

static struct ring *ring_of(struct fake_card *card, enum fake_ring which)
{
    uint8_t *registers = (uint8_t *)&card->registers;
    return (struct ring *)(registers + (which == FAKE_TX ? NIC_REGISTER(TX_BASE) : NIC_REGISTER(RX_BASE)));
}

static void *at(struct fake_card *card, uint32_t address, uint32_t bytes)
{
    assert_true(address >= FAKE_CARD_DMA_BASE);
    assert_true((uint64_t)address - FAKE_CARD_DMA_BASE + bytes <= card->memory_bytes);
    return card->memory + (address - FAKE_CARD_DMA_BASE);
}

static struct lan_nic_descriptor *descriptor(struct fake_card *card, const struct ring *ring, uint32_t index)
{
    return (struct lan_nic_descriptor *)at(card, ring->base, 16u << ring->size) + (index & ((1u << ring->size) - 1));
}

static void advance(struct ring *ring, uint32_t count)
{
    ring->head = (ring->head + count) & ((1u << ring->size) - 1);
}

static void control_ring(struct fake_card *card, struct ring *ring, uint32_t value)
{
    if (value & RESET) {
        ring->head = ring->tail = ring->status = 0;
        value = card->deaf_to_reset ? RESET : 0;
    }
    ring->control = value;
    if ((value & ENABLE) && !(ring->status & ~1u))
        ring->status = RUNNING;
}

static void clear_causes(struct fake_card *card, uint32_t causes)
{
    card->registers.IRQ_CAUSE &= ~causes;
    if (causes & CAUSE_TX_DONE)
        card->moderation[FAKE_TX].events = 0;
    if (causes & CAUSE_RX_DONE)
        card->moderation[FAKE_RX].events = 0;
}

static bool idle(const struct fake_card *card)
{
    return !(card->registers.CONTROL & (TX_ENABLE | RX_ENABLE)) && card->drain_reads == 0;
}

static void set_control(struct fake_card *card, uint32_t value)
{
    if ((value ^ card->registers.CONTROL) & HALF_DUPLEX) {
        assert_false(value & (TX_ENABLE | RX_ENABLE));
        assert_true(idle(card));
    }
    card->registers.CONTROL = value;
}

static void start_mdio(struct fake_card *card, uint32_t value)
{
    uint32_t phy = (value & NIC__MDIO__PHY_bm) >> NIC__MDIO__PHY_bp;
    uint32_t reg = (value & NIC__MDIO__REG_bm) >> NIC__MDIO__REG_bp;
    assert_false(card->mdio_stuck);
    assert_false(card->registers.MDIO & NIC__MDIO__BUSY_bm);
    card->mdio_reads = 2;
    if (value & NIC__MDIO__WRITE_bm)
        fake_phy_write(&card->phy, phy, reg, (uint16_t)value);
    else
        value = (value & ~(uint32_t)NIC__MDIO__DATA_bm) | fake_phy_read(&card->phy, phy, reg);
    card->registers.MDIO = value | NIC__MDIO__BUSY_bm;
}

static void take_effect(struct fake_card *card, uint32_t offset, uint32_t value)
{
    uint32_t *reg = (uint32_t *)((uint8_t *)&card->registers + offset);
    for (int which = FAKE_TX; which <= FAKE_RX; which++) {
        struct ring *ring = ring_of(card, which);
        if (reg == &ring->base || reg == &ring->size)
            assert_false(ring->control & ENABLE);
        if (reg == &ring->base)
            assert_int_equal(value % 16, 0);
        if (reg == &ring->tail)
            assert_true(value < 1u << ring->size);
        if (reg == &ring->control) {
            control_ring(card, ring, value);
            return;
        }
    }
    if (reg == &card->registers.IRQ_CAUSE)
        clear_causes(card, value);
    else if (reg == &card->registers.CONTROL)
        set_control(card, value);
    else if (reg == &card->registers.MDIO)
        start_mdio(card, value);
    else
        *reg = value;
}

static void arrive(struct fake_card *card)
{
    for (size_t i = 0; i < card->posted_count; i++)
        take_effect(card, card->posted[i].offset, card->posted[i].value);
    card->posted_count = 0;
}

void fake_card_settle(struct fake_card *card)
{
    if (!card->slow_bus)
        arrive(card);
}

/* What a read changes. */
static void count_read(struct fake_card *card, uint32_t offset)
{
    card->reads++;
    if (offset == NIC_REGISTER(STATUS)) {
        card->registers.STATUS = idle(card);
        if (!(card->registers.CONTROL & (TX_ENABLE | RX_ENABLE)) && card->drain_reads > 0)
            card->drain_reads--;
    }
    if (offset == NIC_REGISTER(MDIO) && !card->mdio_stuck && card->mdio_reads-- == 0)
        card->registers.MDIO &= ~(uint32_t)NIC__MDIO__BUSY_bm;
}

static uint32_t bus_read(void *ctx, uint32_t offset)
{
    struct fake_card *card = ctx;
    arrive(card);
    count_read(card, offset);
    return *(uint32_t *)((uint8_t *)&card->registers + offset);
}

static void bus_write(void *ctx, uint32_t offset, uint32_t value)
{
    struct fake_card *card = ctx;
    assert_true(card->posted_count < FAKE_CARD_POSTED);
    card->posted[card->posted_count].offset = offset;
    card->posted[card->posted_count++].value = value;
    card->writes++;
    card->doorbells[FAKE_TX] += offset == NIC_REGISTER(TX_TAIL);
    card->doorbells[FAKE_RX] += offset == NIC_REGISTER(RX_TAIL);
}

static uint32_t bus_dma_address(void *ctx, const void *ptr)
{
    struct fake_card *card = ctx;
    const uint8_t *byte = ptr;
    assert_true(byte >= card->memory && byte < card->memory + card->memory_bytes);
    return FAKE_CARD_DMA_BASE + (uint32_t)(byte - card->memory);
}

static void bus_barrier(void *ctx)
{
    (void)ctx;
}

void fake_card_init(struct fake_card *card, void *memory, size_t bytes)
{
    memset(card, 0, sizeof *card);
    card->bus = (struct lan_bus){card, bus_read, bus_write, bus_dma_address, bus_barrier};
    card->memory = memory;
    card->memory_bytes = bytes;
    card->registers.ID = NIC__ID__MAGIC_reset;
    card->registers.VERSION = 0x00010000;
    card->registers.FEATURES = FAKE_CARD_FEATURES;
    card->registers.MAC_LO = 0x33221102; /* 02:11:22:33:44:55 */
    card->registers.MAC_HI = 0x5544;
}

bool fake_card_irq(struct fake_card *card)
{
    fake_card_settle(card);
    return (card->registers.IRQ_CAUSE & card->registers.IRQ_ENABLE) != 0;
}

uint32_t fake_card_posted(struct fake_card *card, enum fake_ring which)
{
    fake_card_settle(card);
    const struct ring *ring = ring_of(card, which);
    return (ring->tail - ring->head) & ((1u << ring->size) - 1);
}

/* An event of one direction, told at once or later (docs/registers.md: Interrupt moderation). */
static void tell(struct fake_card *card, enum fake_ring which)
{
    uint32_t moderation = which == FAKE_TX ? card->registers.TX_MODERATION : card->registers.RX_MODERATION;
    uint32_t count = moderation & NIC__MODERATION__COUNT_bm;
    struct fake_moderation *pending = &card->moderation[which];
    if (pending->events++ == 0)
        pending->first_ns = card->now_ns;
    if (!(moderation & NIC__MODERATION__TIME_bm) || pending->events == count)
        card->registers.IRQ_CAUSE |= which == FAKE_TX ? CAUSE_TX_DONE : CAUSE_RX_DONE;
}

void fake_card_pass(struct fake_card *card, uint64_t ns)
{
    const uint32_t moderation[] = {card->registers.TX_MODERATION, card->registers.RX_MODERATION};
    card->now_ns += ns;
    for (int which = FAKE_TX; which <= FAKE_RX; which++) {
        const struct fake_moderation *pending = &card->moderation[which];
        uint64_t wait = (uint64_t)(moderation[which] >> NIC__MODERATION__TIME_bp) * 1024;
        if (pending->events > 0 && card->now_ns - pending->first_ns >= wait)
            card->registers.IRQ_CAUSE |= which == FAKE_TX ? CAUSE_TX_DONE : CAUSE_RX_DONE;
    }
}

/* zlib's CRC has its bits the other way round, and is inverted at the end. */
static uint32_t hash_bit(const uint8_t address[6])
{
    uint32_t crc = ~(uint32_t)crc32(0, address, 6), bit = 0;
    for (int i = 0; i < 6; i++)
        bit |= (crc >> i & 1) << (5 - i);
    return bit;
}

bool fake_card_accepts(struct fake_card *card, const uint8_t destination[6])
{
    static const uint8_t BROADCAST[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    fake_card_settle(card);
    const nic_t *r = &card->registers;
    const uint8_t mac[6] = {(uint8_t)r->MAC_LO,         (uint8_t)(r->MAC_LO >> 8), (uint8_t)(r->MAC_LO >> 16),
                            (uint8_t)(r->MAC_LO >> 24), (uint8_t)r->MAC_HI,        (uint8_t)(r->MAC_HI >> 8)};
    uint32_t bit = hash_bit(destination);
    if (!(r->CONTROL & RX_ENABLE))
        return false;
    if ((r->CONTROL & NIC__CONTROL__PROMISCUOUS_bm) || memcmp(destination, mac, 6) == 0)
        return true;
    if (memcmp(destination, BROADCAST, 6) == 0)
        return (r->CONTROL & NIC__CONTROL__BROADCAST_bm) != 0;
    return (destination[0] & 1) && ((bit < 32 ? r->HASH_LO : r->HASH_HI) >> bit % 32 & 1);
}

static void stop(struct fake_card *card, enum fake_ring which, uint32_t status)
{
    ring_of(card, which)->status = status;
    card->registers.IRQ_CAUSE |= which == FAKE_TX ? NIC__IRQ_CAUSE__TX_ERROR_bm : NIC__IRQ_CAUSE__RX_ERROR_bm;
}

void fake_card_fail_with(struct fake_card *card, enum fake_ring which, uint32_t error)
{
    fake_card_settle(card);
    stop(card, which, error << NIC__RING_STATUS__ERROR_bp);
}

void fake_card_fail(struct fake_card *card, enum fake_ring which)
{
    fake_card_fail_with(card, which, RING_DESCRIPTOR_BUS_ERROR);
}

/* The longest frame that one of these offload requests allows; 0 when it is malformed (docs/card.md). */
static uint32_t frame_limit(const struct fake_card *card)
{
    if (!(card->frame_first.status & TX_TSO))
        return (1u << FAKE_CARD_BUFFER_LOG2) - 1;
    return card->frame_first.stamp & 0xffff ? FAKE_CARD_FRAME_BYTES : 0;
}

bool fake_card_fetch(struct fake_card *card)
{
    uint32_t posted = fake_card_posted(card, FAKE_TX);
    struct ring *ring = ring_of(card, FAKE_TX);
    if (!(ring->status & RUNNING) || posted == 0 || !(card->registers.CONTROL & TX_ENABLE))
        return false;

    card->frame_bytes = card->frame_fragments = 0;
    card->frame_first = *descriptor(card, ring, ring->head);
    for (uint32_t i = 0; i < posted; i++) {
        const struct lan_nic_descriptor *fragment = descriptor(card, ring, ring->head + i);
        uint32_t len = fragment->status & DESC_LEN;
        if (len == 0 || card->frame_bytes + len > frame_limit(card))
            break;
        if (i > 0)
            assert_int_equal(fragment->status & (TX_IP_CSUM | TX_L4_CSUM | TX_TSO | TX_VLAN), 0);
        memcpy(card->frame + card->frame_bytes, at(card, fragment->address, len), len);
        card->frame_bytes += len;
        card->frame_fragments++;
        if (fragment->status & TX_EOP)
            return true;
    }
    stop(card, FAKE_TX, RING_MALFORMED << NIC__RING_STATUS__ERROR_bp);
    return false;
}

bool fake_card_send(struct fake_card *card, uint32_t error)
{
    if (!fake_card_fetch(card))
        return false;
    struct ring *ring = ring_of(card, FAKE_TX);
    struct lan_nic_descriptor *last = descriptor(card, ring, ring->head + card->frame_fragments - 1);
    last->stamp = 0x12345678;
    last->status |= DESC_DONE | error << 24;
    if (last->status & TX_IRQ)
        tell(card, FAKE_TX);
    advance(ring, card->frame_fragments);
    return true;
}

void fake_card_complete(struct fake_card *card, uint32_t status)
{
    assert_true(fake_card_posted(card, FAKE_RX) > 0);
    struct ring *ring = ring_of(card, FAKE_RX);
    descriptor(card, ring, ring->head)->status = status;
    advance(ring, 1);
    tell(card, FAKE_RX);
}

bool fake_card_receive(struct fake_card *card, const void *frame, uint32_t bytes, uint32_t flags)
{
    const uint8_t *from = frame;
    uint32_t posted = fake_card_posted(card, FAKE_RX), left = bytes, room = 0;
    struct ring *ring = ring_of(card, FAKE_RX);
    for (uint32_t i = 0; i < posted; i++)
        room += descriptor(card, ring, ring->head + i)->status & DESC_LEN;
    if (!(ring->status & RUNNING) || room < bytes) {
        card->registers.IRQ_CAUSE |= CAUSE_RX_OVERFLOW;
        return false;
    }

    for (uint32_t sop = RX_SOP; left; sop = 0) {
        struct lan_nic_descriptor *to = descriptor(card, ring, ring->head);
        uint32_t capacity = to->status & DESC_LEN, len = left < capacity ? left : capacity;
        assert_true(capacity >= 64 && capacity % 2 == 0 && to->address % 2 == 0);
        memcpy(at(card, to->address, capacity), from, len);
        from += len;
        left -= len;
        to->stamp = left ? 0 : 0xabcdef01;
        to->checksum = left ? 0 : (uint32_t)card->tci << DESC_RX_TCI_BIT;
        fake_card_complete(card, DESC_DONE | sop | len | (left ? 0 : RX_EOP | flags));
    }
    return true;
}
