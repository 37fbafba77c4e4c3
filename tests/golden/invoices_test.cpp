// Golden invoices: what calls cost by the shipped prices and by some that are made up, to the nano-dollar. The amounts
// come from tests/golden/invoices/compute.py, which reads the same prices and shares no arithmetic with the gateway.
#include "tollgate/base/instant.hpp"
#include "tollgate/config/prices.hpp"

#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>

namespace tollgate::test {
namespace {

using nlohmann::json;
using protocol::Usage;

std::shared_ptr<const policy::PriceBook> book_of(const std::string& file) {
  const config::LoadedPrices loaded = config::load_prices(test::in_project(file), config::test::disk_sources());
  for (const config::Fault& fault : loaded.faults) ADD_FAILURE() << config::to_text(fault);
  return loaded.book;
}

protocol::ServiceTier tier_of(const std::string& name) {
  const std::map<std::string, protocol::ServiceTier> tiers{{"standard", protocol::ServiceTier::standard},
                                                           {"batch", protocol::ServiceTier::batch},
                                                           {"flex", protocol::ServiceTier::flex},
                                                           {"priority", protocol::ServiceTier::priority},
                                                           {"fast", protocol::ServiceTier::fast}};
  return tiers.at(name);
}

Usage usage_of(const json& given) {
  Usage usage;
  const std::map<std::string, std::uint64_t Usage::*> members{{"input", &Usage::input},
                                                              {"cached_input", &Usage::cached_input},
                                                              {"cache_write", &Usage::cache_write},
                                                              {"cache_write_long", &Usage::cache_write_long},
                                                              {"audio_input", &Usage::audio_input},
                                                              {"image_input", &Usage::image_input},
                                                              {"output", &Usage::output},
                                                              {"reasoning", &Usage::reasoning},
                                                              {"audio_output", &Usage::audio_output},
                                                              {"image_output", &Usage::image_output},
                                                              {"searches", &Usage::searches}};
  for (const auto& [name, value] : given.items()) {
    if (name == "tier")
      usage.tier = tier_of(value.get<std::string>());
    else
      usage.*members.at(name) = value.get<std::uint64_t>();
  }
  return usage;
}

/// The counts as a reservation has to bound them: parts that are more than their whole are what was counted.
Money reserved(const policy::PriceRow& row, const Usage& usage) {
  const std::uint64_t prompt =
      usage.cached_input + usage.cache_write + usage.cache_write_long + usage.audio_input + usage.image_input;
  const std::uint64_t answer = usage.reasoning + usage.audio_output + usage.image_output;
  return worst_case(row, std::max(usage.input, prompt), std::max(usage.output, answer), usage.searches);
}

TEST(Invoices, come_to_the_amounts_that_exact_fractions_give) {
  const std::map<std::string, std::shared_ptr<const policy::PriceBook>> books{
      {"shipped", book_of("/config/prices.yaml")}, {"own", book_of("/tests/golden/invoices/prices.yaml")}};
  std::ifstream table(test::in_project("tests/golden/invoices/invoices.jsonl"));
  std::set<std::string> names;
  for (std::string line; std::getline(table, line);) {
    const json invoice = json::parse(line);
    const std::string name = invoice["name"];
    SCOPED_TRACE(name);
    EXPECT_TRUE(names.insert(name).second);
    const auto& book = books.at(invoice["prices"]);
    ASSERT_TRUE(book);
    const policy::Price* price =
        book->find(invoice["provider"].get<std::string>(), invoice["model"].get<std::string>());
    ASSERT_TRUE(price);
    const policy::PriceRow* row = price->at(*parse_instant(invoice["at"].get<std::string>()));
    ASSERT_TRUE(row);
    const Usage usage = usage_of(invoice["usage"]);
    const Money cost = cost_of(*row, usage);
    EXPECT_EQ(cost.nanos, invoice["nanos"].get<std::int64_t>());
    EXPECT_LE(cost, reserved(*row, usage));
  }
  EXPECT_GE(names.size(), 100u);
}

}  // namespace
}  // namespace tollgate::test
