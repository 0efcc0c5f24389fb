/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CAUSE_TX_DONE NIC__IRQ_CAUSE__TX_DONE_bm
#define CAUSE_RX_DONE NIC__IRQ_CAUSE__RX_DONE_bm
#define CAUSE_RX_OVERFLOW NIC__IRQ_CAUSE__RX_OVERFLOW_bm

enum { ENABLE = 1, RESET = 2, RUNNING = 1, MALFORMED = 3 << 8 };

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
        *reg &= ~value;
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

static uint32_t bus_read(void *ctx, uint32_t offset)
{
    struct fake_card *card = ctx;
    arrive(card);
    card->reads++;
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
    card->registers.FEATURES = NIC__FEATURES__TX_CSUM_bm | NIC__FEATURES__RX_CSUM_bm | NIC__FEATURES__STATISTICS_bm;
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

static void stop(struct fake_card *card, enum fake_ring which, uint32_t status)
{
    ring_of(card, which)->status = status;
    card->registers.IRQ_CAUSE |= which == FAKE_TX ? NIC__IRQ_CAUSE__TX_ERROR_bm : NIC__IRQ_CAUSE__RX_ERROR_bm;
}

void fake_card_fail(struct fake_card *card, enum fake_ring which)
{
    fake_card_settle(card);
    stop(card, which, 1 << 8);
}

bool fake_card_fetch(struct fake_card *card)
{
    uint32_t posted = fake_card_posted(card, FAKE_TX);
    struct ring *ring = ring_of(card, FAKE_TX);
    if (!(ring->status & RUNNING) || posted == 0)
        return false;

    card->frame_bytes = card->frame_fragments = 0;
    card->frame_first = *descriptor(card, ring, ring->head);
    for (uint32_t i = 0; i < posted; i++) {
        const struct lan_nic_descriptor *fragment = descriptor(card, ring, ring->head + i);
        uint32_t len = fragment->status & DESC_LEN;
        if (len == 0 || card->frame_bytes + len > FAKE_CARD_FRAME_BYTES)
            break;
        if (i > 0)
            assert_int_equal(fragment->status & (TX_IP_CSUM | TX_L4_CSUM), 0);
        memcpy(card->frame + card->frame_bytes, at(card, fragment->address, len), len);
        card->frame_bytes += len;
        card->frame_fragments++;
        if (fragment->status & TX_EOP)
            return true;
    }
    stop(card, FAKE_TX, MALFORMED);
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
        card->registers.IRQ_CAUSE |= CAUSE_TX_DONE;
    advance(ring, card->frame_fragments);
    return true;
}

void fake_card_complete(struct fake_card *card, uint32_t status)
{
    assert_true(fake_card_posted(card, FAKE_RX) > 0);
    struct ring *ring = ring_of(card, FAKE_RX);
    descriptor(card, ring, ring->head)->status = status;
    advance(ring, 1);
    card->registers.IRQ_CAUSE |= CAUSE_RX_DONE;
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
        fake_card_complete(card, DESC_DONE | sop | len | (left ? 0 : RX_EOP | flags));
    }
    return true;
}
