/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/buf.h"
#include "bytes.h"

#include <assert.h>
#include <string.h>

/* Storage starts on a cache line, so that a card's DMA never shares one with anything else. */
enum { ALIGNMENT = 64, MIN_BUFFER_BYTES = 256 };

/* The pool's own data, then the fragments with storage, then the views, then the storage. */
struct lan_pool {
    struct lan_buf *free_buffers, *free_views; /* joined by `next` */
    uint32_t buffers_left, views_left;
};

static size_t align(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static size_t fragments_offset(void)
{
    return align(sizeof(struct lan_pool));
}

static size_t storage_offset(const struct lan_pool_config *config)
{
    return align(fragments_offset() + ((size_t)config->buffers + config->views) * sizeof(struct lan_buf));
}

size_t lan_pool_size(const struct lan_pool_config *config)
{
    return storage_offset(config) + (size_t)config->buffers * config->buffer_bytes;
}

struct lan_pool *lan_pool_create(void *memory, const struct lan_pool_config *config)
{
    assert((uintptr_t)memory % ALIGNMENT == 0);
    assert(config->buffer_bytes >= MIN_BUFFER_BYTES && config->buffer_bytes % ALIGNMENT == 0);

    uint8_t *base = memory;
    struct lan_pool *pool = memory;
    struct lan_buf *fragments = (struct lan_buf *)(void *)(base + fragments_offset());
    uint8_t *storage = base + storage_offset(config);

    *pool = (struct lan_pool){.buffers_left = config->buffers, .views_left = config->views};
    for (uint32_t i = config->buffers + config->views; i-- > 0;) {
        struct lan_buf *buf = &fragments[i];
        struct lan_buf **free = i < config->buffers ? &pool->free_buffers : &pool->free_views;

        *buf = (struct lan_buf){.pool = pool, .next = *free};
        *free = buf;
        if (i < config->buffers) {
            buf->store = storage + (size_t)i * config->buffer_bytes;
            buf->capacity = config->buffer_bytes;
        }
    }
    return pool;
}

uint32_t lan_pool_free_buffers(const struct lan_pool *pool)
{
    return pool->buffers_left;
}

uint32_t lan_pool_free_views(const struct lan_pool *pool)
{
    return pool->views_left;
}

struct lan_buf *lan_buf_alloc(struct lan_pool *pool, uint32_t headroom)
{
    struct lan_buf *buf = pool->free_buffers;

    if (!buf || headroom > buf->capacity)
        return NULL;
    pool->free_buffers = buf->next;
    pool->buffers_left--;
    buf->next = buf->link = NULL;
    buf->data = buf->store + headroom;
    buf->len = 0;
    buf->refs = 1;
    buf->flags = 0;
    return buf;
}

struct lan_buf *lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len)
{
    struct lan_pool *pool = from->pool;
    struct lan_buf *view = pool->free_views;

    assert(offset <= from->len && len <= from->len - offset);
    if (!view)
        return NULL;
    pool->free_views = view->next;
    pool->views_left--;
    view->next = NULL;
    view->data = from->data + offset;
    view->len = len;
    view->owner = lan_buf_ref(from->owner ? from->owner : from);
    view->refs = 1;
    view->flags = 0;
    return view;
}

/* A fragment holds one reference on the next one, so freeing goes down the chain until somebody else still holds on. */
void lan_buf_free(struct lan_buf *buf)
{
    while (buf && --buf->refs == 0) {
        struct lan_pool *pool = buf->pool;
        struct lan_buf *next = buf->next, *owner = buf->owner;

        if (owner) {
            buf->next = pool->free_views;
            pool->free_views = buf;
            pool->views_left++;
            if (owner->refs > 1) /* mostly a queue still holds it */
                owner->refs--;
            else
                lan_buf_free(owner);
        } else {
            buf->next = pool->free_buffers;
            pool->free_buffers = buf;
            pool->buffers_left++;
        }
        buf = next;
    }
}

bool lan_buf_append_cut(struct lan_buf *buf, struct lan_buf **from, uint32_t n)
{
    struct lan_buf *part = *from;

    while (part && n >= part->len) {
        n -= part->len;
        buf->next = part;
        buf = part;
        part = part->next;
    }
    *from = part;
    buf->next = NULL;
    if (n == 0)
        return true;
    if (part)
        buf->next = lan_buf_view(part, 0, n);
    if (!buf->next)
        return false;
    part->data += n;
    part->len -= n;
    return true;
}

/* Cuts n bytes off what follows `buf`, and takes fragments that become empty out of the chain; views of them may live
 * on. */
static void cut_behind(struct lan_buf *buf, uint32_t n)
{
    while (n && buf->next) {
        struct lan_buf *next = buf->next;
        uint32_t here = n < next->len ? n : next->len;

        next->data += here;
        next->len -= here;
        n -= here;
        if (next->len == 0) {
            buf->next = next->next;
            next->next = NULL;
            lan_buf_free(next);
        }
    }
}

LAN_RARE void lan_buf_pull_chain(struct lan_buf *buf, uint32_t n)
{
    uint32_t here = buf->len;

    buf->data += here;
    buf->len = 0;
    cut_behind(buf, n - here);
}

void lan_buf_trim(struct lan_buf *buf, uint32_t n)
{
    while (buf->next && n > buf->len) {
        n -= buf->len;
        buf = buf->next;
    }
    if (n < buf->len)
        buf->len = n;
    if (n <= buf->len) {
        lan_buf_free(buf->next);
        buf->next = NULL;
    }
}

LAN_RARE bool lan_buf_pullup_chain(struct lan_buf *buf, uint32_t n)
{
    uint32_t missing = n - buf->len;

    if (missing > lan_buf_tailroom(buf) || lan_buf_total(buf) < n)
        return false;
    lan_buf_copy(buf->next, 0, lan_buf_put(buf, missing), missing);
    cut_behind(buf, missing);
    return true;
}

uint32_t lan_buf_copy(const struct lan_buf *buf, uint32_t offset, void *out, uint32_t n)
{
    uint8_t *to = out;
    uint32_t left = n;

    for (; buf && left; buf = buf->next) {
        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        uint32_t take = buf->len - offset < left ? buf->len - offset : left;

        memcpy(to, buf->data + offset, take);
        to += take;
        left -= take;
        offset = 0;
    }
    return n - left;
}
