/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TREE_H
#define TREE_H

/* Content in memory, whose files a test may change, and which counts what is open. */

#include "lanyard/content.h"

struct tree_entry {
    const char *path;
    const char *data; /* NULL: a folder, whose entries are those behind its path */
    uint64_t size;
    int64_t mtime_s;
};

struct tree {
    struct lan_content content;
    struct tree_entry *entries;
    size_t count;
    uint32_t open;
    int open_error; /* given instead of opening, unless 0 */
};

void tree_init(struct tree *tree, struct tree_entry *entries, size_t count);

#endif
