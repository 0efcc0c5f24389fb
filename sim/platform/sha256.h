// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <openssl/evp.h>
#include <string>

namespace lanyard
{

class Sha256
{
  public:
    Sha256();

    void add(const void *data, size_t bytes);

    // In hexadecimal; once.
    std::string finish();

  private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// Throws UserError if the file cannot be read.
std::string sha256_of_file(const std::string &path);

} // namespace lanyard
