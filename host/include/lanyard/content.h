/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_CONTENT_H
#define LANYARD_CONTENT_H

/* A tree of read-only files, as the web server sees it: a folder of the operating system (lan_content_posix_open()), or
 * an image in memory.
 *
 * Paths are relative to the root, parts separated by single slashes, without empty, "." or ".." parts; "" is the root.
 * Whatever a path says, nothing outside the tree is ever opened. Functions return a negative errno on failure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An open file or folder. */
struct lan_content_file {
    bool folder;
    uint64_t size;   /* bytes, of a file */
    int64_t mtime_s; /* time of the last change, seconds since 1970-01-01 UTC; negative: not known */
    void *handle;    /* the implementation's */
};

struct lan_content {
    /* 0 with *file filled in; -ENOENT, -EACCES (it leads out of the tree, or may not be read), -EMFILE and others. */
    int (*open)(struct lan_content *content, const char *path, struct lan_content_file *file);

    /* Up to `bytes` bytes at `offset`; *data points to them: into `scratch` (room for `bytes`) or into memory of the
     * implementation, valid until the next call. Returns how many there are; 0 at and past the end. */
    long (*read)(struct lan_content *content, struct lan_content_file *file, uint64_t offset, void *scratch,
                 size_t bytes, const void **data);

    /* Entry `index` (from 0) of a folder: its name (no terminator counted, cut to room - 1) and whether it is a folder.
     * 1: there is one, 0: past the last. Entries come sorted by name; hidden ones (first letter a dot) are left out. */
    int (*list)(struct lan_content *content, struct lan_content_file *file, uint32_t index, char *name, size_t room,
                bool *folder);

    void (*close)(struct lan_content *content, struct lan_content_file *file);
};

/* The folder `root` of the operating system; *error is a negative errno when it returns NULL (-ENOENT, -ENOTDIR ...).
 * Symbolic links are followed where they stay inside. Target lanyard_content_posix. */
struct lan_content *lan_content_posix_open(const char *root, int *error);
void lan_content_posix_close(struct lan_content *content);

#endif
