// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/demo_site.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "sim/platform/user_error.h"
#include "sim/wire/random.h"

namespace lanyard
{

namespace
{

namespace fs = std::filesystem;

constexpr size_t MOST_ENTRIES = 10'000;
constexpr size_t BINARY_BYTES = 1 << 20;

constexpr const char *PAGE = R"(<!doctype html>
<title>Lanyard</title>
<h1>Served by a simulated network card</h1>
<p>This page has come from a web server on a C stack and driver, over a card in Verilog, simulated cycle by cycle.
<ul>
<li><a href="squares.txt">squares.txt</a>: a text
<li><a href="random.bin">random.bin</a>: 1 MiB of pseudo-random bytes
</ul>
)";

void write_file(const fs::path &file, const std::string &content)
{
    std::ofstream out(file, std::ios::binary);
    out << content;
    out.close();
    if (!out)
        throw UserError("cannot write " + file.string() + ": " + std::strerror(errno));
}

} // namespace

void make_sample_site(const std::string &folder, uint64_t seed)
{
    std::string squares;
    for (unsigned n = 1; n <= 2000; n++)
        squares += std::to_string(n) + " squared is " + std::to_string(n * n) + "\n";
    std::string binary(BINARY_BYTES, '\0');
    Random random(seed);
    for (char &octet : binary)
        octet = static_cast<char>(random.next());
    write_file(fs::path(folder) / "index.html", PAGE);
    write_file(fs::path(folder) / "squares.txt", squares);
    write_file(fs::path(folder) / "random.bin", binary);
}

std::vector<SiteFile> pick_files(const std::string &folder, uint64_t most_bytes)
{
    std::vector<SiteFile> files;
    size_t entries = 0;
    const auto options = fs::directory_options::skip_permission_denied;
    for (auto i = fs::recursive_directory_iterator(folder, options); i != fs::recursive_directory_iterator(); ++i) {
        if (++entries > MOST_ENTRIES)
            break;
        const bool hidden = i->path().filename().native().front() == '.';
        if (hidden && i->is_directory())
            i.disable_recursion_pending();
        if (!hidden && !i->is_symlink() && i->is_regular_file() && i->file_size() <= most_bytes)
            files.push_back({fs::relative(i->path(), folder).generic_string(), i->file_size()});
    }
    std::sort(files.begin(), files.end(), [](const SiteFile &a, const SiteFile &b) {
        return std::tie(a.bytes, a.path) < std::tie(b.bytes, b.path);
    });
    if (files.size() > 3)
        files = {files.front(), files[files.size() / 2], files.back()};
    return files;
}

std::string url_path(const std::string &path)
{
    std::string encoded;
    for (const char letter : path) {
        constexpr char DIGITS[] = "0123456789ABCDEF";
        const auto octet = static_cast<unsigned char>(letter);
        if (std::isalnum(octet) || std::strchr("-._~/", letter))
            encoded += letter;
        else
            encoded += {'%', DIGITS[octet >> 4], DIGITS[octet & 15]};
    }
    return encoded;
}

} // namespace lanyard
