#include "tollgate/config/prices.hpp"

#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// The file of prices, what routes.yaml says about prices, and which price each target ends up with. What the prices
// come to is the business of tests/golden/invoices.

namespace tollgate::config {
namespace {

using policy::Price;
using policy::PriceRow;
using protocol::ServiceTier;
using std::chrono::sys_days;
using namespace std::chrono_literals;

const std::string path = "/etc/tollgate/prices.yaml";
constexpr std::int64_t dollar = Money::nanos_per_dollar;
const SystemTime today = sys_days(2026y / 11 / 22);

LoadedPrices load_text(const std::string& text) {
  test::Memory memory;
  memory.files[path] = text;
  return load_prices(path, memory.sources());
}

/// Of the one model "m" of provider "p".
LoadedPrices load_model(const std::string& model) {
  return load_text("version: 1\nproviders:\n  p:\n    m: " + model + "\n");
}

PriceRow row_of(const std::string& model) {
  const LoadedPrices loaded = load_model(model);
  EXPECT_TRUE(loaded.book) << (loaded.faults.empty() ? "" : to_text(loaded.faults.front()));
  return loaded.book ? loaded.book->find("p", "m")->rows().front() : PriceRow{};
}

/// The faults of a file, each without the file's name.
std::vector<std::string> lines_of(const LoadedPrices& loaded) {
  EXPECT_EQ(loaded.book != nullptr, loaded.faults.empty());
  std::vector<std::string> lines;
  for (const Fault& fault : loaded.faults) lines.push_back(to_text(fault).substr(path.size() + 1));
  return lines;
}
using Lines = std::vector<std::string>;

/// The one fault of a model, without its place.
std::string fault_of(const std::string& model) {
  const Lines lines = lines_of(load_model(model));
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
  return lines.empty() ? "" : lines.front().substr(lines.front().find(' ') + 1);
}

TEST(PriceFile, gives_every_key_of_a_row) {
  const PriceRow row = row_of(R"({source: "a list", valid: {from: 2026-04-01, until: 2027-01-01T12:00:00Z},
    input: 5, cached_input: 0.5, cache_write: 6.25, cache_write_long: 10, audio_input: 32, image_input: 8,
    output: 30, reasoning: 31, audio_output: 64, image_output: 40,
    tiers: [{above: 128000, input: 7.5}, {from: 272000, input: 10, output: 45}],
    per_call: 0.001, per_1000_searches: 10, discount: 12.5%,
    service_tiers: {batch: 50%, flex: 49.9999%, priority: 200%, fast: 600%}})");
  PriceRow expected;
  expected.id = "p/m@2026-04-01";
  expected.from = sys_days(2026y / 4 / 1);
  expected.until = sys_days(2027y / 1 / 1) + 12h;
  expected.rates = {5 * dollar, dollar / 2,  6'250'000'000, 10 * dollar, 32 * dollar,
                    8 * dollar, 30 * dollar, 31 * dollar,   64 * dollar, 40 * dollar};
  expected.tiers = {{.threshold = 128'000, .inclusive = false, .rates = {.input = 7'500'000'000}},
                    {.threshold = 272'000, .inclusive = true, .rates = {.input = 10 * dollar, .output = 45 * dollar}}};
  expected.per_call = 1'000'000;
  expected.per_search = 10'000 * dollar;
  expected.factor = 875'000;
  expected.service_tiers = {1'000'000, 500'000, 499'999, 2'000'000, 6'000'000};
  expected.source = "a list";
  EXPECT_EQ(row, Price({expected}).rows().front());
}

TEST(PriceFile, keeps_rates_of_a_billionth_of_a_dollar_exact) {
  const PriceRow row = row_of("{source: s, input: 0.000000001, output: 123456.123456789}");
  EXPECT_EQ(row.rates.input, 1);
  EXPECT_EQ(row.rates.output, 123'456'123'456'789);
}

TEST(PriceFile, gives_rows_for_different_times_different_ids) {
  const LoadedPrices loaded = load_model(
      "{rows: [{source: s, input: 2, output: 2, valid: {from: 2026-08-21}}, {source: s, input: 1, output: 1},"
      " {source: s, input: 3, output: 3, valid: {from: 2026-08-21T18:30:00Z}}]}");
  ASSERT_TRUE(loaded.book);
  const Price& price = *loaded.book->find("p", "m");
  const auto id_at = [&price](SystemTime when) { return price.at(when)->id; };
  EXPECT_EQ(id_at(sys_days(2026y / 8 / 21) - 1ns), "p/m");
  EXPECT_EQ(id_at(sys_days(2026y / 8 / 21)), "p/m@2026-08-21");
  EXPECT_EQ(id_at(today), "p/m@2026-08-21T18:30:00Z");
}

TEST(PriceFile, gives_further_names_the_same_rows) {
  const LoadedPrices loaded = load_model("{names: [n, 'm-20*'], source: s, input: 1, output: 2}");
  ASSERT_TRUE(loaded.book);
  for (const char* name : {"m", "n", "m-2026-01-01"}) EXPECT_EQ(loaded.book->find("p", name)->rows()[0].id, "p/m");
  EXPECT_EQ(loaded.book->find("p", "m-mini"), nullptr);
}

TEST(PriceFile, takes_what_is_free_and_what_is_paid_by_the_call) {
  EXPECT_TRUE(row_of("{source: s, free: true}").free);
  EXPECT_EQ(row_of("{source: s, per_call: 0.002}").per_call, 2'000'000);
  EXPECT_EQ(row_of("{source: s, input: 0.02, output: 0}").rates.output, 0);
}

TEST(PriceFile, refuses_a_price_that_says_too_little) {
  const std::string message =
      "a price needs input and output, or per_call, or free: true; write 0 for what costs nothing";
  EXPECT_EQ(fault_of("{source: s}"), "providers.p.m.input: " + message);
  EXPECT_EQ(fault_of("{source: s, input: 1}"), "providers.p.m.output: " + message);
  EXPECT_EQ(fault_of("{source: s, output: 1, per_call: 1}"), "providers.p.m.input: " + message);
  EXPECT_EQ(fault_of("{source: s, per_1000_searches: 1}"), "providers.p.m.input: " + message);
  EXPECT_EQ(fault_of("{input: 1, output: 2}"), "providers.p.m.source: this key is missing");
  EXPECT_EQ(fault_of("{source: s, free: true, per_call: 1}"), "providers.p.m.free: what is free has no rates");
}

TEST(PriceFile, refuses_amounts_that_are_not_exact_dollars) {
  const std::string message = "expected US dollars with at most nine places, found '";
  for (const char* amount : {"1e-6", "-1", ".5", "5 USD", "1.0000000001", "1,5", "nan"})
    EXPECT_EQ(fault_of("{source: s, output: 1, input: '" + std::string(amount) + "'}"),
              "providers.p.m.input: " + message + amount + "'; write it like 2.50");
  EXPECT_EQ(fault_of("{source: s, output: 1, input: 1000000.000000001}"),
            "providers.p.m.input: the value must be at most 1000000, found '1000000.000000001'");
  EXPECT_EQ(fault_of("{source: s, input: 1, output: 1, discount: 10}"),
            "providers.p.m.discount: expected a percentage, found '10'; write it like 25%");
  EXPECT_EQ(fault_of("{source: s, input: 1, output: 1, discount: 100.1%}"),
            "providers.p.m.discount: the value must be from 0% to 100%, found '100.1%'");
  EXPECT_EQ(
      fault_of("{source: s, input: 1, output: 1, service_tiers: {batch: 0.00001%}}"),
      "providers.p.m.service_tiers.batch: expected a percentage with at most four places, found '0.00001%'; write "
      "it like 12.5%");
}

TEST(PriceFile, refuses_tiers_that_contradict_each_other) {
  const auto tiers = [](const std::string& list) {
    return fault_of("{source: s, input: 1, output: 1, tiers: [" + list + "]}");
  };
  EXPECT_EQ(
      tiers("{input: 2}"),
      "providers.p.m.tiers[0].from: a tier has either above or from; above: 200000 begins with 200001, from: 200000 "
      "with itself");
  EXPECT_EQ(tiers("{above: 9, from: 9, input: 2}").substr(0, 35), "providers.p.m.tiers[0].from: a tier");
  EXPECT_EQ(tiers("{above: 9}"), "providers.p.m.tiers[0].input: a tier needs a rate of its own");
  const std::string order = "providers.p.m.tiers: each tier must begin above the one before it";
  EXPECT_EQ(tiers("{above: 9, input: 2}, {above: 8, input: 3}"), order);
  EXPECT_EQ(tiers("{above: 9, input: 2}, {from: 10, input: 3}"), order);
  EXPECT_EQ(tiers("{from: 9, input: 2}, {from: 10, input: 3, marginal: true}"),
            "providers.p.m.tiers: either all tiers are marginal or none is");
  EXPECT_EQ(tiers("{from: 9, input: 2, output: 3, marginal: true}"),
            "providers.p.m.tiers[0].marginal: a marginal tier is about the prompt only, and has no rate for output");
}

TEST(PriceFile, refuses_rows_and_names_that_exclude_each_other) {
  EXPECT_EQ(fault_of("{source: s, input: 1, output: 1, valid: {from: 2026-02-01, until: 2026-02-01}}"),
            "providers.p.m.valid.until: until must be after from");
  EXPECT_EQ(fault_of("{rows: [{source: s, input: 1, output: 1}, {source: s, input: 2, output: 1}]}"),
            "providers.p.m: two rows begin at the same time; give one of them another valid: {from: ...}");
  EXPECT_EQ(fault_of("{input: 1, rows: [{source: s, input: 1, output: 1}]}"),
            "providers.p.m.input: a model has either rows or the keys of one, not both");
  EXPECT_EQ(fault_of("{names: [m], source: s, input: 1, output: 1}"),
            "providers.p.m.names[0]: this name already has a price at /etc/tollgate/prices.yaml:4:5");
  EXPECT_EQ(fault_of("{names: ['a*b'], source: s, input: 1, output: 1}"),
            "providers.p.m.names[0]: a '*' is only possible at the end of a name, found 'a*b'");
}

TEST(PriceFile, is_refused_with_all_its_faults_at_once) {
  EXPECT_EQ(lines_of(load_text("version: 1\nproviders:\n  p:\n    m: {source: s, inptu: 1, input: x, output: 1}\n"
                               "    n: {source: s, input: 1, outptu: 1}\n")),
            (Lines{"4:20: providers.p.m.inptu: unknown key; did you mean 'input'?",
                   "4:37: providers.p.m.input: expected US dollars with at most nine places, found 'x'; write it like "
                   "2.50",
                   "5:8: providers.p.n.output: a price needs input and output, or per_call, or free: true; write 0 for "
                   "what costs nothing",
                   "5:30: providers.p.n.outptu: unknown key; did you mean 'output'?"}));
  EXPECT_EQ(lines_of(load_text("")), Lines{"1:1: the file is empty; the smallest one begins with 'version: 1'"});
  test::Memory memory;
  EXPECT_EQ(lines_of(load_prices(path, memory.sources())),
            Lines{"1:1: cannot read the file: No such file or directory"});
}

const std::string two_prices =
    "version: 1\n"
    "providers:\n"
    "  openai:\n"
    "    gpt-5.5: {names: ['gpt-5.5-20*'], source: s, input: 5, output: 30}\n"
    "  sim: {small: {source: s, input: 1, output: 2}}\n";

Loaded load_routes(const std::string& text, const LoadOptions& options = {}) {
  test::Memory memory;
  memory.files[path] = two_prices;
  return memory.load(text, options);
}

const std::string providers =
    "version: 1\nprices: prices.yaml\nproviders:\n  azure: {simulator: {}, prices: openai}\n"
    "  sim: {simulator: {}}\n";

/// The id of the row that a target costs by now; nothing: unpriced.
std::string id_of(const Snapshot& snapshot, std::string_view requested, std::size_t target = 0) {
  const Resolution resolution = snapshot.resolve(requested);
  const Target& found = resolution.model->targets.at(target);
  const std::string name = found.upstream_model == "*" ? resolution.wildcard_part : found.upstream_model;
  const Price* price = snapshot.price_of(found, name);
  return price && price->at(today) ? price->at(today)->id : "";
}

TEST(Prices, of_targets_are_those_of_their_providers_list_and_upstream_name) {
  const Loaded loaded =
      load_routes(providers +
                  "models:\n  top: {provider: azure, name: gpt-5.5}\n  small: {provider: sim}\n"
                  "  both: {targets: [{provider: sim, name: small}, {provider: sim, name: other}]}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  const Snapshot& snapshot = *loaded.snapshot;
  EXPECT_EQ(id_of(snapshot, "top"), "openai/gpt-5.5");
  EXPECT_EQ(id_of(snapshot, "small"), "sim/small");
  EXPECT_EQ(id_of(snapshot, "both", 0), "sim/small");
  EXPECT_EQ(id_of(snapshot, "both", 1), "");
  EXPECT_EQ(snapshot.models[0].targets[0].price, snapshot.prices->find("openai", "gpt-5.5"));
  EXPECT_EQ(snapshot.files.back(), path);
}

TEST(Prices, under_a_wildcard_are_looked_up_by_the_name_that_is_sent) {
  const Loaded loaded = load_routes(providers + "models:\n  \"azure/*\": {provider: azure, name: \"*\"}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.snapshot->models[0].targets[0].price, nullptr);
  EXPECT_EQ(id_of(*loaded.snapshot, "azure/gpt-5.5-2026-04-01"), "openai/gpt-5.5");
  EXPECT_EQ(id_of(*loaded.snapshot, "azure/gpt-5.5-pro"), "");
}

TEST(Prices, of_a_model_go_before_those_of_the_file) {
  const Loaded loaded = load_routes(providers +
                                    "models:\n  small: {provider: sim, price: {input: 3, output: 4, discount: 50%}}\n"
                                    "  other: {provider: sim, free: true}\n"
                                    "  \"sim/*\": {provider: sim, name: \"*\", price: {input: 1, output: 1}}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(id_of(*loaded.snapshot, "small"), "models/small");
  EXPECT_EQ(loaded.snapshot->models[0].targets[0].price->rows()[0].rates.input, 3 * dollar);
  EXPECT_EQ(loaded.snapshot->models[0].targets[0].price->rows()[0].factor, 500'000);
  EXPECT_EQ(id_of(*loaded.snapshot, "other"), "free");
  EXPECT_TRUE(loaded.snapshot->models[1].targets[0].price->rows()[0].free);
  EXPECT_EQ(id_of(*loaded.snapshot, "sim/small"), "models/sim/*");
}

TEST(Prices, outlive_their_snapshot_in_a_copy_of_it) {
  std::optional<Snapshot> copy;
  {
    const Loaded loaded = load_routes(providers + "models: {small: {provider: sim}}\n");
    ASSERT_TRUE(loaded.snapshot);
    copy = *loaded.snapshot;
  }
  EXPECT_EQ(id_of(*copy, "small"), "sim/small");
}

TEST(Prices, are_none_without_a_file) {
  const Loaded loaded =
      load_routes("version: 1\nproviders: {sim: {simulator: {}}}\nmodels: {small: {provider: sim}}\n");
  ASSERT_TRUE(loaded.snapshot);
  EXPECT_EQ(id_of(*loaded.snapshot, "small"), "");
  EXPECT_EQ(loaded.snapshot->on_unpriced, OnUnpriced::reject);
  EXPECT_EQ(loaded.snapshot->fallback_price, nullptr);
}

TEST(Prices, have_a_fallback) {
  const Loaded loaded = load_routes("version: 1\non_unpriced: fallback\nfallback_price: {input: 100, output: 200}\n");
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(loaded.snapshot->on_unpriced, OnUnpriced::fallback);
  ASSERT_TRUE(loaded.snapshot->fallback_price);
  EXPECT_EQ(loaded.snapshot->fallback_price->at(today)->id, "fallback");
  EXPECT_EQ(loaded.snapshot->fallback_price->at(today)->rates.output, 200 * dollar);
}

TEST(Prices, change_the_digest_of_a_configuration) {
  test::Memory memory;
  memory.files[path] = two_prices;
  const std::string text = providers + "models: {small: {provider: sim}}\n";
  const std::string before = memory.load(text).snapshot->digest;
  memory.files[path] += "  more: {m: {source: s, input: 1, output: 2}}\n";
  EXPECT_NE(memory.load(text).snapshot->digest, before);
}

TEST(Prices, need_no_file_to_check_a_configuration_without_its_world) {
  test::Memory memory;
  const Loaded loaded = memory.load(providers + "models: {small: {provider: sim}}\n", {.allow_unset = true});
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_EQ(id_of(*loaded.snapshot, "small"), "");
}

std::string only_fault(const Loaded& loaded) {
  EXPECT_EQ(loaded.faults.size(), 1u) << test::all_text(loaded);
  return loaded.faults.empty() ? "" : to_text(loaded.faults.front()).substr(std::string("/etc/tollgate/").size());
}

TEST(Prices, that_do_not_fit_are_faults) {
  EXPECT_EQ(only_fault(load_routes("version: 1\nprices: price.yaml\n")),
            "routes.yaml:2:9: prices: cannot read the file: No such file or directory: 'price.yaml'");
  EXPECT_EQ(
      only_fault(load_routes("version: 1\nprices: prices.yaml\nproviders: {a: {simulator: {}, prices: opnai}}\n")),
      "routes.yaml:3:40: providers.a.prices: the file of prices has no such provider; did you mean 'openai'?");
  EXPECT_EQ(only_fault(load_routes("version: 1\nproviders: {a: {simulator: {}, prices: openai}}\n")),
            "routes.yaml:2:40: providers.a.prices: there is no file of prices to look it up in; name one: prices: "
            "prices.yaml");
  EXPECT_EQ(only_fault(load_routes("version: 1\non_unpriced: fallback\n")),
            "routes.yaml:2:14: on_unpriced: fallback needs a fallback_price");
  EXPECT_EQ(only_fault(load_routes("version: 1\nproviders: {a: {simulator: {}}}\n"
                                   "models: {m: {provider: a, free: true, price: {input: 1, output: 1}}}\n")),
            "routes.yaml:3:46: models.m.price: a model is free or has a price, not both");
}

TEST(Prices, are_refused_in_an_included_file) {
  test::Memory memory;
  memory.files["/etc/tollgate/more.yaml"] = "prices: prices.yaml\n";
  EXPECT_EQ(only_fault(memory.load("version: 1\ninclude: [more.yaml]\n")),
            "more.yaml:1:1: prices: only the root file may hold this key");
}

TEST(Prices, with_a_fault_are_told_in_their_own_file) {
  test::Memory memory;
  memory.files[path] = "version: 1\nproviders: {a: {b: {source: s, input: 1}}}\n";
  EXPECT_EQ(only_fault(memory.load("version: 1\nprices: prices.yaml\n")).substr(0, 41),
            "prices.yaml:2:20: providers.a.b.output: a");
}

std::shared_ptr<const policy::PriceBook> shipped() {
  const LoadedPrices loaded = load_prices(tollgate::test::in_project("config/prices.yaml"), test::disk_sources());
  for (const Fault& fault : loaded.faults) ADD_FAILURE() << to_text(fault);
  return loaded.book;
}

TEST(ShippedPrices, hold_the_facts_of_the_product) {
  const auto book = shipped();
  ASSERT_TRUE(book);
  const auto cost = [&book](const char* provider, const char* model, const protocol::Usage& usage) {
    return cost_of(*book->find(provider, model)->at(today), usage).nanos;
  };
  EXPECT_EQ(cost("openai", "gpt-5.5", {.input = 80'000, .output = 8000}), 640'000'000);
  EXPECT_EQ(cost("anthropic", "claude-opus-4-7", {.input = 80'000, .output = 8000}), 600'000'000);
  EXPECT_EQ(cost("anthropic", "claude-opus-4.7", {.input = 80'000, .output = 10'400}), 660'000'000);
  EXPECT_EQ(cost("anthropic", "claude-opus-4-7", {.input = 1'000'000, .cached_input = 1'000'000}), dollar / 2);
  EXPECT_EQ(cost("openai", "gpt-5.5-pro", {.input = 100'000, .output = 100'000}), 21 * dollar);
  EXPECT_EQ(cost("openai", "gpt-5.5", {.input = 1'000'000, .output = 1'000'000}), 55 * dollar);
}

TEST(ShippedPrices, know_every_model_of_the_shipped_configuration) {
  const Loaded loaded = load(tollgate::test::in_project("config/routes.yaml"), test::disk_sources());
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  for (const Model& model : loaded.snapshot->models) {
    for (const Target& target : model.targets) EXPECT_TRUE(target.price) << model.name;
  }
}

}  // namespace
}  // namespace tollgate::config
