// SPDX-License-Identifier: Apache-2.0
#pragma once

// A table of a TOML file, read with care: whatever is wrong becomes one line, "FILE:LINE: what, expected ...", thrown
// as UsageError.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "sim/platform/user_error.h"

namespace lanyard
{

class TomlTable
{
  public:
    // `what`: how messages call the table, such as "host"; empty: the whole file. Any key but `keys` is an error.
    // `table` and the text of the keys are borrowed.
    TomlTable(const toml::table &table, std::string file, std::string what, std::vector<std::string_view> keys);

    bool has(std::string_view key) const
    {
        return table_.contains(key);
    }

    // What `key` holds; without `otherwise` it must be there.
    std::string text(std::string_view key, std::optional<std::string> otherwise = {}) const;
    uint64_t integer(std::string_view key, uint64_t least, uint64_t most, std::optional<uint64_t> otherwise = {}) const;
    double probability(std::string_view key) const;             // 0 when it is missing
    std::vector<std::string> texts(std::string_view key) const; // at least one

    // A text that `parse` understands.
    template <class T>
    T parsed(std::string_view key, const std::function<std::optional<T>(std::string_view)> &parse,
             std::string_view expected, std::optional<T> otherwise = {}) const
    {
        if (!has(key) && otherwise)
            return *otherwise;
        const std::optional<T> value = parse(string(key, expected));
        if (!value)
            throw bad(key, expected);
        return *value;
    }

    // The tables of [[key]], none when it is missing; the table of [key].
    std::vector<const toml::table *> tables(std::string_view key) const;
    const toml::table *table(std::string_view key) const;

    // What to throw when the value of `key` is not what was expected, or when the table as a whole is wrong.
    UsageError bad(std::string_view key, std::string_view expected) const;
    UsageError wrong(const std::string &problem) const;

  private:
    std::string string(std::string_view key, std::string_view expected) const;
    const toml::node &node(std::string_view key, std::string_view expected) const;
    UsageError at(const toml::source_region &where, const std::string &problem) const;

    const toml::table &table_;
    std::string file_;
    std::string what_;
};

} // namespace lanyard
