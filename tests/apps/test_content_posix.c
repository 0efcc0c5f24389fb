/* SPDX-License-Identifier: Apache-2.0 */
/* A folder as content: what is in it, and that nothing outside it ever is. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "lanyard/content.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[] = "/tmp/lanyard-content-XXXXXX";
static struct lan_content *content;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* base/secret.txt, base/tree-twin/x and base/tree, which is the content. */
static int set_up(void **state)
{
    int error;
    (void)state;
    assert_non_null(mkdtemp(base));
    assert_int_equal(chdir(base), 0);
    write_file("secret.txt", "secret");
    mkdir("tree", 0755);
    mkdir("tree-twin", 0755);
    write_file("tree-twin/x", "secret");
    assert_int_equal(chdir("tree"), 0);
    mkdir("folder", 0755);
    write_file("folder/b.txt", "bee");
    write_file("a.txt", "hello");
    write_file(".hidden", "");
    assert_int_equal(symlink("folder/b.txt", "inside"), 0);
    assert_int_equal(symlink("folder", "inside-folder"), 0);
    assert_int_equal(symlink("../secret.txt", "outside"), 0);
    assert_int_equal(symlink("/etc", "absolute"), 0);
    assert_int_equal(symlink("../tree-twin/x", "twin"), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    assert_int_equal(symlink(".", "self"), 0);
    assert_int_equal(mkfifo("pipe", 0644), 0);
    assert_int_equal(chdir(base), 0);
    content = lan_content_posix_open("tree", &error);
    assert_non_null(content);
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    lan_content_posix_close(content);
    return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void expect_error(const char *path, int error)
{
    struct lan_content_file file;
    assert_int_equal(content->open(content, path, &file), error);
}

static void expect_text(const char *path, const char *text)
{
    struct lan_content_file file;
    char scratch[64];
    const void *data;
    assert_int_equal(content->open(content, path, &file), 0);
    assert_false(file.folder);
    assert_int_equal(file.size, strlen(text));
    assert_int_equal(content->read(content, &file, 0, scratch, sizeof scratch, &data), strlen(text));
    assert_memory_equal(data, text, strlen(text));
    content->close(content, &file);
}

static void files_are_read_at_any_offset(void **state)
{
    (void)state;
    struct lan_content_file file;
    char scratch[64];
    const void *data;
    expect_text("a.txt", "hello");
    expect_text("folder/b.txt", "bee");
    assert_int_equal(content->open(content, "a.txt", &file), 0);
    assert_int_equal(content->read(content, &file, 3, scratch, 64, &data), 2);
    assert_memory_equal(data, "lo", 2);
    assert_int_equal(content->read(content, &file, 5, scratch, 64, &data), 0);
    content->close(content, &file);
}

static void links_inside_are_followed(void **state)
{
    (void)state;
    expect_text("inside", "bee");
    expect_text("inside-folder/b.txt", "bee");
    expect_text("self/self/a.txt", "hello");
}

static void links_that_lead_out_are_refused(void **state)
{
    (void)state;
    expect_error("outside", -EACCES);
    expect_error("absolute", -EACCES);
    expect_error("absolute/passwd", -EACCES);
    expect_error("twin", -EACCES); /* beside the tree, under a name that starts the same */
    expect_error("loop", -ELOOP);
}

static void a_path_that_climbs_out_is_refused_even_here(void **state)
{
    (void)state;
    expect_error("../secret.txt", -EACCES);
    expect_error("folder/../../secret.txt", -EACCES);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    expect_error("nothing", -ENOENT);
    expect_error("a.txt/b", -ENOTDIR);
}

static void a_pipe_is_no_content_and_does_not_block(void **state)
{
    (void)state;
    expect_error("pipe", -EACCES);
}

static void a_name_too_long_is_an_error(void **state)
{
    (void)state;
    char name[5000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    expect_error(name, -ENAMETOOLONG);
    name[300] = '\0';
    expect_error(name, -ENAMETOOLONG);
}

static void a_folder_lists_what_is_visible_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool folder;
    } EXPECTED[] = {{"a.txt", false}, {"absolute", true}, {"folder", true}, {"inside", false}, {"inside-folder", true},
                    {"loop", false},  {"outside", false}, {"pipe", false},  {"self", true},    {"twin", false}};
    struct lan_content_file file;
    char name[256];
    bool folder;
    uint32_t index = 0;
    assert_int_equal(content->open(content, "", &file), 0);
    assert_true(file.folder);
    for (; index < sizeof EXPECTED / sizeof *EXPECTED; index++) {
        assert_int_equal(content->list(content, &file, index, name, sizeof name, &folder), 1);
        assert_string_equal(name, EXPECTED[index].name);
        assert_int_equal(folder, EXPECTED[index].folder);
    }
    assert_int_equal(content->list(content, &file, index, name, sizeof name, &folder), 0);
    content->close(content, &file);
}

static void a_root_that_is_no_folder_is_refused(void **state)
{
    (void)state;
    int error;
    assert_null(lan_content_posix_open("nothing", &error));
    assert_int_equal(error, -ENOENT);
    assert_null(lan_content_posix_open("secret.txt", &error));
    assert_int_equal(error, -ENOTDIR);
}

static void no_descriptor_is_left_open(void **state)
{
    (void)state;
    struct lan_content_file file;
    int before = dup(0), after;
    close(before);
    for (int i = 0; i < 100; i++) {
        static const char *const PATHS[] = {"a.txt", "folder", "outside", "nothing", "pipe", "folder/b.txt/x"};
        if (content->open(content, PATHS[i % 6], &file) == 0)
            content->close(content, &file);
    }
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_at_any_offset),
        cmocka_unit_test(links_inside_are_followed),
        cmocka_unit_test(links_that_lead_out_are_refused),
        cmocka_unit_test(a_path_that_climbs_out_is_refused_even_here),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_pipe_is_no_content_and_does_not_block),
        cmocka_unit_test(a_name_too_long_is_an_error),
        cmocka_unit_test(a_folder_lists_what_is_visible_in_order),
        cmocka_unit_test(a_root_that_is_no_folder_is_refused),
        cmocka_unit_test(no_descriptor_is_left_open),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
