/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BUF_H
#define LANYARD_BUF_H

/* struct lan_buf: the one packet buffer, from the application's send() to the card's descriptor.
 *
 * A packet is a chain of fragments joined by `next`. A fragment either owns storage (taken from the pool, with
 * headroom in front of `data`), or is a view: a window on a part of another buffer's storage, which it keeps alive by
 * a reference. So a TCP segment is one small buffer with headers, followed by views of the send queue; nothing is
 * copied, and the queue's bytes stay put until both the peer and the card are done with them.
 *
 * Ownership: a function that takes a `struct lan_buf *` takes over the caller's reference unless its comment says
 * "borrows". Storage lies in memory the card can reach. Not thread-safe: a stack and its buffers belong to one
 * execution context (see port.h).
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packet flags; they stand in the first fragment. Below 2^11 an instruction of RISC-V holds them. */
enum {
    /* Transmit requests; lan_netif_transmit() does in software what the netif cannot (netif.h). */
    LAN_BUF_IP_CSUM = 1u << 0, /* fill in the IPv4 header checksum */
    LAN_BUF_L4_CSUM = 1u << 1, /* put a sum at csum_offset behind csum_start: of all from there on, and what it holds */
    LAN_BUF_TSO = 1u << 2,     /* cut into segments of gso_size payload bytes; not in software when compiled for size */
    LAN_BUF_TX_TIMESTAMP = 1u << 3, /* store in timestamp_ns when it left, for whoever keeps a reference (nic.h) */

    /* What the card found out on receive. */
    LAN_BUF_IP_OK = 1u << 4,      /* IPv4 header checksum verified */
    LAN_BUF_L4_CHECKED = 1u << 5, /* the card did verify the TCP or UDP checksum ... */
    LAN_BUF_L4_OK = 1u << 6,      /* ... and it was right */
    LAN_BUF_BROADCAST = 1u << 7,  /* link-layer destination was broadcast */
    LAN_BUF_MULTICAST = 1u << 8,  /* link-layer destination was a group address */
    LAN_BUF_TIMESTAMP = 1u << 9,  /* timestamp_ns is valid */

    /* Both ways: the frame belongs to the VLAN of vlan_tci, and the tag itself does not stand in it. */
    LAN_BUF_VLAN = 1u << 10,
};

struct lan_pool;

struct lan_buf {
    struct lan_buf *next;  /* next fragment of this packet, NULL in the last */
    struct lan_buf *link;  /* next packet in whatever queue holds this one; NULL after lan_buf_alloc() */
    uint8_t *data;         /* first valid byte of this fragment */
    uint32_t len;          /* valid bytes in this fragment */
    uint32_t capacity;     /* bytes of storage from `store`; 0 for a view */
    uint8_t *store;        /* start of own storage, NULL for a view */
    struct lan_buf *owner; /* view: the buffer that owns the bytes (referenced); else NULL */
    struct lan_pool *pool;
    uint32_t refs;
    uint32_t flags;        /* LAN_BUF_*; first fragment only, as is everything below */
    uint16_t csum_start;   /* bytes from the start of the frame */
    uint16_t hdr_len;      /* bytes of headers in front of the payload (LAN_BUF_TSO) */
    uint16_t csum_offset;  /* bytes from csum_start: where the pseudo-header's sum is, and the sum comes */
    uint16_t gso_size;     /* TCP payload bytes per segment (LAN_BUF_TSO) */
    uint32_t timestamp_ns; /* arrival or departure, low 32 bits (LAN_BUF_TIMESTAMP) */
    uint16_t vlan_tci;     /* 802.1Q tag control information, host byte order (LAN_BUF_VLAN) */
    uint32_t scratch[3];   /* for the layer that holds the packet; undefined after handing it on */
};

/* Sizes of a pool: `buffers` fragments with `buffer_bytes` of storage each, and `views` more without storage. */
struct lan_pool_config {
    uint32_t buffers;
    uint32_t buffer_bytes; /* multiple of 64, at least 256 */
    uint32_t views;
};

/* Bytes of memory that a pool of this shape takes. */
size_t lan_pool_size(const struct lan_pool_config *config);

/* Lays a pool out in `memory` (64-byte aligned, lan_pool_size() bytes, reachable by the card). */
struct lan_pool *lan_pool_create(void *memory, const struct lan_pool_config *config);

uint32_t lan_pool_free_buffers(const struct lan_pool *pool);
uint32_t lan_pool_free_views(const struct lan_pool *pool);

/* A buffer with own storage, one reference, len 0 and `headroom` bytes in front of data. NULL when the pool is empty or
 * headroom exceeds the storage. */
struct lan_buf *lan_buf_alloc(struct lan_pool *pool, uint32_t headroom);

/* A view of `len` bytes at `offset` in the one fragment `from` (borrowed). NULL when the pool has no view left. */
struct lan_buf *lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len);

/* One more reference to a whole chain's first fragment; lan_buf_free() gives it back. */
static inline struct lan_buf *lan_buf_ref(struct lan_buf *buf)
{
    buf->refs++;
    return buf;
}

/* Drops one reference of the first fragment; at zero the chain's fragments go back to their pools. NULL is allowed. */
void lan_buf_free(struct lan_buf *buf);

static inline uint32_t lan_buf_headroom(const struct lan_buf *buf)
{
    return buf->store ? (uint32_t)(buf->data - buf->store) : 0;
}

static inline uint32_t lan_buf_tailroom(const struct lan_buf *buf)
{
    return buf->store ? buf->capacity - lan_buf_headroom(buf) - buf->len : 0;
}

/* Grows the first fragment by n bytes in front / at the back and returns the first new byte; the room must be there. */
static inline uint8_t *lan_buf_push(struct lan_buf *buf, uint32_t n)
{
    assert(buf->store && n <= lan_buf_headroom(buf));
    buf->data -= n;
    buf->len += n;
    return buf->data;
}

static inline uint8_t *lan_buf_put(struct lan_buf *buf, uint32_t n)
{
    uint8_t *end = buf->data + buf->len;

    assert(buf->store && n <= lan_buf_tailroom(buf));
    buf->len += n;
    return end;
}

/* Bytes in the whole chain. */
static inline uint32_t lan_buf_total(const struct lan_buf *buf)
{
    uint32_t total = buf->len;

    while ((buf = buf->next) != NULL)
        total += buf->len;
    return total;
}

/* Moves the first n bytes of the chain `*from` behind the one fragment `buf`: whole fragments themselves, and of one in
 * part a view. `*from` is what is left, NULL if nothing. False: the views ran out or `*from` was shorter; whoever holds
 * both chains holds all bytes still. */
bool lan_buf_append_cut(struct lan_buf *buf, struct lan_buf **from, uint32_t n);

/* For lan_buf_pull() and lan_buf_pullup(): where they go beyond the first fragment. */
void lan_buf_pull_chain(struct lan_buf *buf, uint32_t n);
bool lan_buf_pullup_chain(struct lan_buf *buf, uint32_t n);

/* Cuts n bytes off the front, freeing fragments that become empty, but never the first. */
static inline void lan_buf_pull(struct lan_buf *buf, uint32_t n)
{
    if (n > buf->len) {
        lan_buf_pull_chain(buf, n);
    } else {
        buf->data += n;
        buf->len -= n;
    }
}

/* Trims the chain to its first n bytes. */
void lan_buf_trim(struct lan_buf *buf, uint32_t n);

/* Moves bytes forward so that the first n of the chain stand in the first fragment; may move `data`. False, and nothing
 * lost, when the chain is shorter or the first fragment has no room. */
static inline bool lan_buf_pullup(struct lan_buf *buf, uint32_t n)
{
    return n <= buf->len || lan_buf_pullup_chain(buf, n);
}

/* Copies up to n bytes from `offset` of the chain to `out`; returns the bytes copied. Borrows. */
uint32_t lan_buf_copy(const struct lan_buf *buf, uint32_t offset, void *out, uint32_t n);

#endif
