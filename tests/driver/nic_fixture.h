/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NIC_FIXTURE_H
#define NIC_FIXTURE_H

/* The driver over the card in software, with a stack that only takes notes. Taking it down checks that every buffer is
 * back in its pool.
 */

#include "fake_card.h"
#include "lanyard/nic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RECEIVED_MAX = 256 };

struct fixture {
    struct fake_card card;
    struct lan_pool *pool;
    struct lan_pool_config pool_config;
    bool phy_interrupt; /* as configured by the next restart_driver() */
    struct lan_nic *nic;
    struct lan_netif *netif;

    /* What the driver told the stack. */
    struct lan_buf *received[RECEIVED_MAX];
    size_t received_count;
    void (*on_input)(struct fixture *f);
    uint32_t tx_ready_calls, link_calls;
    void (*on_tx_ready)(struct fixture *f);
};

extern struct fixture fixture;

/* Rings of 16 and 8 descriptors, 64 buffers of 2,048 bytes. */
int set_up(void **state);
/* The same with buffers of 256 bytes, so that long frames are split. */
int set_up_small_buffers(void **state);
int tear_down(void **state);

/* Makes the driver anew, after lan_nic_destroy() and a change of the card; what lan_nic_create() says. */
int restart_driver(void);

/* A frame of `count` fragments with these lengths, its bytes counting up from 0; the driver's now when 0 is returned.
 */
int transmit(const uint32_t *lengths, size_t count);
int transmit_one(uint32_t bytes);

/* Serves the interrupt line until it falls. */
void serve(void);

/* Bytes counting up from 0, `bytes` of them. */
const uint8_t *counting(uint32_t bytes);

/* Frees what was received. */
void forget_received(void);

#define NIC_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define NIC_TEST_SMALL(f) cmocka_unit_test_setup_teardown(f, set_up_small_buffers, tear_down)

#endif
