/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the operating system as content. Symbolic links are resolved first and the result must lie inside; then
 * the resolved path is opened part by part without following any link, so that nobody can slip one in between.
 */
#include "lanyard/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder_content {
    struct lan_content content;
    int root;
    char path[PATH_MAX]; /* of the root, resolved */
};

/* An open file has a descriptor, an open folder a sorted list of its entries. */
struct handle {
    int fd;
    struct dirent **entries;
    int count;
};

/* The path behind the root that `path` leads to, links resolved, in `resolved`; NULL with a negative errno in *error.
 */
static const char *resolve(const struct folder_content *folder, const char *path, char resolved[PATH_MAX], int *error)
{
    char joined[PATH_MAX];
    size_t root = strlen(folder->path), length = strlen(path);
    if (root + 1 + length >= sizeof joined) {
        *error = -ENAMETOOLONG;
        return NULL;
    }
    memcpy(joined, folder->path, root);
    joined[root] = '/';
    memcpy(joined + root + 1, path, length + 1);
    if (!realpath(joined, resolved)) {
        *error = -errno;
        return NULL;
    }

    if (root == 1) /* "/", where every path begins with its only slash */
        root = 0;
    if (strncmp(resolved, folder->path, root) != 0 || (resolved[root] != '/' && resolved[root] != '\0')) {
        *error = -EACCES;
        return NULL;
    }
    return resolved + root + (resolved[root] == '/');
}

/* Neither devices nor pipes are content; opening one may block or have effects, so it is looked at first. */
static int open_part(int at, const char *name)
{
    struct stat info;
    if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return -EACCES;
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_inside(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (*path && fd >= 0) {
        size_t length = strcspn(path, "/");
        if (length > NAME_MAX) {
            close(fd);
            return -ENAMETOOLONG;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + (path[length] == '/');
        int next = open_part(fd, name);
        close(fd);
        fd = next;
    }
    return fd;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void release(struct handle *handle)
{
    if (handle->fd >= 0)
        close(handle->fd);
    for (int i = 0; i < handle->count; i++)
        free(handle->entries[i]);
    free(handle->entries);
    free(handle);
}

/* Takes over `fd`. */
static int describe(int fd, struct lan_content_file *file)
{
    struct stat info;
    struct handle *handle = calloc(1, sizeof *handle);
    if (!handle) {
        close(fd);
        return -ENOMEM;
    }
    handle->fd = fd;
    int result = fstat(fd, &info) < 0 ? -errno : 0;
    if (result == 0 && S_ISDIR(info.st_mode)) {
        handle->count = scandirat(fd, ".", &handle->entries, visible, by_name);
        if (handle->count < 0) {
            result = -errno;
            handle->count = 0;
        }
    }
    if (result < 0) {
        release(handle);
        return result;
    }
    *file = (struct lan_content_file){
        .folder = S_ISDIR(info.st_mode), .size = (uint64_t)info.st_size, .mtime_s = info.st_mtime, .handle = handle};
    return 0;
}

static int folder_open(struct lan_content *content, const char *path, struct lan_content_file *file)
{
    struct folder_content *folder = (struct folder_content *)content;
    char resolved[PATH_MAX];
    int error;
    const char *inside = resolve(folder, path, resolved, &error);
    if (!inside)
        return error;
    int fd = open_inside(folder->root, inside);
    return fd < 0 ? fd : describe(fd, file);
}

static long folder_read(struct lan_content *content, struct lan_content_file *file, uint64_t offset, void *scratch,
                        size_t bytes, const void **data)
{
    const struct handle *handle = file->handle;
    (void)content;
    *data = scratch;
    ssize_t got = pread(handle->fd, scratch, bytes, (off_t)offset);
    return got < 0 ? -errno : got;
}

/* Whether an entry is a folder; a link is one when it leads to one. */
static bool is_folder(int fd, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

static int folder_list(struct lan_content *content, struct lan_content_file *file, uint32_t index, char *name,
                       size_t room, bool *folder)
{
    const struct handle *handle = file->handle;
    (void)content;
    if (index >= (uint32_t)handle->count)
        return 0;
    const struct dirent *entry = handle->entries[index];
    size_t length = strnlen(entry->d_name, room - 1);
    memcpy(name, entry->d_name, length);
    name[length] = '\0';
    *folder = is_folder(handle->fd, entry);
    return 1;
}

static void folder_close(struct lan_content *content, struct lan_content_file *file)
{
    (void)content;
    release(file->handle);
}

struct lan_content *lan_content_posix_open(const char *root, int *error)
{
    struct folder_content *folder = malloc(sizeof *folder);
    if (!folder) {
        *error = -ENOMEM;
        return NULL;
    }
    folder->content = (struct lan_content){folder_open, folder_read, folder_list, folder_close};
    folder->root = realpath(root, folder->path) ? open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder->root < 0) {
        *error = -errno;
        free(folder);
        return NULL;
    }
    *error = 0;
    return &folder->content;
}

void lan_content_posix_close(struct lan_content *content)
{
    struct folder_content *folder = (struct folder_content *)content;
    close(folder->root);
    free(folder);
}
