/* SPDX-License-Identifier: Apache-2.0 */
#include "instant_card.h"

#include <string.h>

static void send_all(struct instant_card *card)
{
    struct lan_nic_descriptor *ring = (struct lan_nic_descriptor *)(card->memory + card->registers.TX_BASE);
    uint32_t mask = (1u << card->registers.TX_SIZE) - 1, head = card->registers.TX_HEAD;
    for (; head != card->registers.TX_TAIL; head = (head + 1) & mask) {
        uint32_t status = ring[head].status;
        card->descriptors++;
        card->bytes += status & DESC_LEN;
        if (status & TX_EOP) {
            ring[head].status = status | DESC_DONE;
            card->frames++;
        }
    }
    card->registers.TX_HEAD = head;
}

static uint32_t bus_read(void *ctx, uint32_t offset)
{
    struct instant_card *card = ctx;
    return *(uint32_t *)((uint8_t *)&card->registers + offset);
}

static void bus_write(void *ctx, uint32_t offset, uint32_t value)
{
    struct instant_card *card = ctx;
    if (offset == NIC_REGISTER(TX_CONTROL) || offset == NIC_REGISTER(RX_CONTROL))
        value &= ~(uint32_t)NIC__RING_CONTROL__RESET_bm; /* done at once */
    if (offset == NIC_REGISTER(IRQ_CAUSE))
        value = 0;
    *(uint32_t *)((uint8_t *)&card->registers + offset) = value;
    if (offset == NIC_REGISTER(TX_TAIL))
        send_all(card);
}

static uint32_t bus_dma_address(void *ctx, const void *ptr)
{
    return (uint32_t)((const uint8_t *)ptr - ((struct instant_card *)ctx)->memory);
}

static void bus_barrier(void *ctx)
{
    (void)ctx;
}

void instant_card_init(struct instant_card *card, uint8_t *memory)
{
    memset(card, 0, sizeof *card);
    card->bus = (struct lan_bus){card, bus_read, bus_write, bus_dma_address, bus_barrier};
    card->memory = memory;
    card->registers.ID = NIC__ID__MAGIC_reset;
    card->registers.VERSION = NIC__VERSION__MAJOR_reset << NIC__VERSION__MAJOR_bp;
    card->registers.FEATURES = NIC__FEATURES__TX_CSUM_bm | NIC__FEATURES__RX_CSUM_bm | NIC__FEATURES__TSO_bm;
    card->registers.MAC_LO = 2;
}
