/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    FRAGMENTS_MAX = 64,
    BATCH = 32,
    SHARE = 4,     /* of the free buffers, the part that one batch may take */
    ALIGNMENT = 2, /* puts the IP header behind the Ethernet header on a 4-byte boundary */
};

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct lan_tap *tap = netif->driver;
    struct iovec pieces[FRAGMENTS_MAX];
    int count = 0;

    for (struct lan_buf *buf = frame; buf; buf = buf->next)
        pieces[count++] = (struct iovec){buf->data, buf->len};
    /* The device takes a frame at once or not at all; what it refuses is lost, as on a cable. */
    if (writev(tap->fd, pieces, count) < 0) {
        if (errno == EIO) /* the kernel's end is down */
            return -ENETDOWN;
        tap->counters.write_errors++;
    }
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops OPS = {.transmit = transmit};

int lan_tap_open(struct lan_tap *tap, const char *device, const uint8_t mac[6], struct lan_pool *pool)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    size_t name_bytes = strlen(device) + 1;

    if (name_bytes > sizeof request.ifr_name)
        return -ENAMETOOLONG;
    memcpy(request.ifr_name, device, name_bytes);

    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    *tap = (struct lan_tap){
        .netif = {.ops = &OPS,
                  .driver = tap,
                  .name = "tap",
                  .mtu = 1500,
                  .features = LAN_NETIF_SG,
                  .max_fragments = FRAGMENTS_MAX,
                  .link_up = true},
        .pool = pool,
        .fd = fd,
    };
    memcpy(tap->netif.mac, mac, 6);
    return 0;
}

/* Takes one frame and drops it, so that a stack short of memory does not spin on a readable descriptor. */
static bool discard(struct lan_tap *tap)
{
    uint8_t byte;

    if (read(tap->fd, &byte, sizeof byte) < 0)
        return false;
    tap->netif.stats.in_discards++;
    tap->counters.no_buffer++;
    return true;
}

/* Links the next frame to `*arrived`. False: there is none. */
static bool receive_one(struct lan_tap *tap, struct lan_buf ***arrived)
{
    struct lan_buf *frame = lan_buf_alloc(tap->pool, ALIGNMENT);

    if (!frame)
        return discard(tap);

    uint32_t room = lan_buf_tailroom(frame);
    ssize_t bytes = read(tap->fd, frame->data, room);

    if (bytes < 0) {
        lan_buf_free(frame);
        return false;
    }
    if ((uint32_t)bytes == room) { /* read(2) cuts off what does not fit, and does not say */
        tap->netif.stats.in_errors++;
        tap->counters.too_long++;
        lan_buf_free(frame);
        return true;
    }
    lan_buf_put(frame, (uint32_t)bytes);
    **arrived = frame;
    *arrived = &frame->link;
    return true;
}

void lan_tap_receive(struct lan_tap *tap)
{
    struct lan_buf *frames = NULL, **arrived = &frames;
    uint32_t most = lan_pool_free_buffers(tap->pool) / SHARE + 1;

    for (uint32_t i = 0; i < most && i < BATCH && receive_one(tap, &arrived); i++)
        ;
    if (frames)
        lan_netif_input(&tap->netif, frames);
}

void lan_tap_close(struct lan_tap *tap)
{
    close(tap->fd);
    tap->fd = -1;
}
