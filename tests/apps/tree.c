/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <string.h>

static int tree_open(struct lan_content *content, const char *path, struct lan_content_file *file)
{
    struct tree *tree = (struct tree *)content;
    if (tree->open_error)
        return tree->open_error;
    for (size_t i = 0; i < tree->count; i++) {
        struct tree_entry *entry = &tree->entries[i];
        if (strcmp(entry->path, path) == 0) {
            *file = (struct lan_content_file){
                .folder = !entry->data, .size = entry->size, .mtime_s = entry->mtime_s, .handle = entry};
            tree->open++;
            return 0;
        }
    }
    return -ENOENT;
}

static long tree_read(struct lan_content *content, struct lan_content_file *file, uint64_t offset, void *scratch,
                      size_t bytes, const void **data)
{
    const struct tree_entry *entry = file->handle;
    (void)content, (void)scratch;
    if (offset >= entry->size)
        return 0;
    *data = entry->data + offset;
    return (long)(entry->size - offset < bytes ? entry->size - offset : bytes);
}

/* The name behind the folder's path, or NULL when the entry lies elsewhere or deeper. */
static const char *name_in(const struct tree_entry *folder, const struct tree_entry *entry)
{
    size_t prefix = strlen(folder->path);
    const char *name = entry->path + prefix + (prefix > 0);
    if (entry == folder || strncmp(entry->path, folder->path, prefix) != 0 || (prefix && entry->path[prefix] != '/'))
        return NULL;
    return *name && !strchr(name, '/') ? name : NULL;
}

static int tree_list(struct lan_content *content, struct lan_content_file *file, uint32_t index, char *name,
                     size_t room, bool *folder)
{
    const struct tree *tree = (const struct tree *)content;
    for (size_t i = 0; i < tree->count; i++) {
        const char *found = name_in(file->handle, &tree->entries[i]);
        if (found && index-- == 0) {
            strncpy(name, found, room - 1);
            name[room - 1] = '\0';
            *folder = !tree->entries[i].data;
            return 1;
        }
    }
    return 0;
}

static void tree_close(struct lan_content *content, struct lan_content_file *file)
{
    struct tree *tree = (struct tree *)content;
    (void)file;
    tree->open--;
}

void tree_init(struct tree *tree, struct tree_entry *entries, size_t count)
{
    *tree = (struct tree){.content = {tree_open, tree_read, tree_list, tree_close}, .entries = entries, .count = count};
}
