// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/report.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "sim/platform/user_error.h"

namespace lanyard
{

void expect_writable(const std::string &file)
{
    if (file.empty() || file == "-")
        return;
    std::error_code none;
    const bool existed = std::filesystem::exists(file, none);
    if (!std::ofstream(file, std::ios::app))
        throw UserError("cannot write " + file + ": " + std::strerror(errno));
    if (!existed)
        std::filesystem::remove(file, none);
}

void write_report(const std::string &file, const Json &report)
{
    if (file == "-") {
        std::puts(report.dump(2).c_str());
        return;
    }
    std::ofstream out(file);
    out << report.dump(2) << "\n";
    out.close();
    if (!out)
        throw UserError("cannot write " + file + ": " + std::strerror(errno));
}

} // namespace lanyard
