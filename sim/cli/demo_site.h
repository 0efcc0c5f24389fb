// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the demo serves and which files of it it fetches.

#include <cstdint>
#include <string>
#include <vector>

namespace lanyard
{

struct SiteFile {
    std::string path; // in the site, parts separated by slashes
    uint64_t bytes;
};

// Makes a page, a text and 1 MiB of pseudo-random bytes in `folder`. Throws UserError if they cannot be written.
void make_sample_site(const std::string &folder, uint64_t seed);

// At most three files of `folder`, from the smallest to the largest of those that take no more than `most_bytes`.
// Hidden files and what lies beyond the first ten thousand entries are not looked at.
std::vector<SiteFile> pick_files(const std::string &folder, uint64_t most_bytes);

// The path of a URL for a file of the site (RFC 3986 2.1).
std::string url_path(const std::string &path);

} // namespace lanyard
