// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/toml_table.h"

#include <algorithm>
#include <sstream>

namespace lanyard
{

namespace
{

std::string joined(const std::vector<std::string_view> &keys)
{
    std::string all;
    for (std::string_view key : keys)
        all.append(all.empty() ? "" : ", ").append(key);
    return all;
}

// On one line, whatever is in it.
std::string flat(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
    return text;
}

// As it stands in the file, on one line.
std::string written(const toml::node &node)
{
    if (node.is_table() || node.is_array_of_tables())
        return "a table";
    std::ostringstream out;
    node.visit([&out](const auto &value) { out << value; });
    return flat(out.str());
}

} // namespace

TomlTable::TomlTable(const toml::table &table, std::string file, std::string what, std::vector<std::string_view> keys)
    : table_(table), file_(std::move(file)), what_(std::move(what))
{
    for (const auto &[key, value] : table_)
        if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
            throw at(key.source(),
                     "unknown key '" + flat(std::string(key.str())) + "', expected one of " + joined(keys));
}

std::string TomlTable::text(std::string_view key, std::optional<std::string> otherwise) const
{
    return !has(key) && otherwise ? *otherwise : string(key, "a text in quotes");
}

uint64_t TomlTable::integer(std::string_view key, uint64_t least, uint64_t most,
                            std::optional<uint64_t> otherwise) const
{
    if (!has(key) && otherwise)
        return *otherwise;
    const std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
    const auto value = node(key, expected).value_exact<int64_t>();
    if (!value || *value < 0 || static_cast<uint64_t>(*value) < least || static_cast<uint64_t>(*value) > most)
        throw bad(key, expected);
    return static_cast<uint64_t>(*value);
}

double TomlTable::probability(std::string_view key) const
{
    if (!has(key))
        return 0;
    const auto value = node(key, "").value<double>();
    if (!value || !(*value >= 0 && *value <= 1))
        throw bad(key, "a probability from 0 to 1");
    return *value;
}

std::vector<std::string> TomlTable::texts(std::string_view key) const
{
    constexpr std::string_view EXPECTED = "a list of texts that is not empty";
    const toml::array *list = node(key, EXPECTED).as_array();
    if (!list || list->empty() || !list->is_homogeneous<std::string>())
        throw bad(key, EXPECTED);
    std::vector<std::string> all;
    for (const toml::node &element : *list)
        all.push_back(*element.value<std::string>());
    return all;
}

std::vector<const toml::table *> TomlTable::tables(std::string_view key) const
{
    std::vector<const toml::table *> all;
    if (!has(key))
        return all;
    const std::string expected = "[[" + std::string(key) + "]]";
    const toml::array *list = node(key, expected).as_array();
    if (!list || !list->is_homogeneous<toml::table>())
        throw bad(key, expected);
    for (const toml::node &element : *list)
        all.push_back(element.as_table());
    return all;
}

const toml::table *TomlTable::table(std::string_view key) const
{
    if (!has(key))
        return nullptr;
    const toml::table *found = node(key, "").as_table();
    if (!found)
        throw bad(key, "[" + std::string(key) + "]");
    return found;
}

// An empty one is never right.
std::string TomlTable::string(std::string_view key, std::string_view expected) const
{
    const auto value = node(key, expected).value_exact<std::string>();
    if (!value || value->empty())
        throw bad(key, expected);
    return *value;
}

const toml::node &TomlTable::node(std::string_view key, std::string_view expected) const
{
    const toml::node *found = table_.get(key);
    if (!found)
        throw wrong("'" + std::string(key) + "' is missing, expected " + std::string(expected));
    return *found;
}

UsageError TomlTable::bad(std::string_view key, std::string_view expected) const
{
    const toml::node &value = *table_.get(key);
    return at(value.source(), std::string(key) + " = " + written(value) + ", expected " + std::string(expected));
}

UsageError TomlTable::wrong(const std::string &problem) const
{
    return at(table_.source(), problem);
}

UsageError TomlTable::at(const toml::source_region &where, const std::string &problem) const
{
    const std::string subject = what_.empty() ? "" : what_ + ": ";
    return UsageError(file_ + ":" + std::to_string(std::max<unsigned>(where.begin.line, 1)) + ": " + subject + problem);
}

} // namespace lanyard
