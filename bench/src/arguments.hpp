// The command line: --name value and --flag.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace bench {

class Args {
 public:
  Args(int argc, char** argv) : v_(argv + 1, argv + argc) {}
  bool has(const std::string& name) const { return std::find(v_.begin(), v_.end(), "--" + name) != v_.end(); }
  std::string str(const std::string& name, const std::string& fallback = "") const {
    auto it = std::find(v_.begin(), v_.end(), "--" + name);
    return it != v_.end() && it + 1 != v_.end() ? *(it + 1) : fallback;
  }
  double num(const std::string& name, double fallback) const {
    std::string s = str(name);
    return s.empty() ? fallback : std::atof(s.c_str());
  }
  std::vector<std::string> all(const std::string& name) const {
    std::vector<std::string> out;
    for (size_t i = 0; i + 1 < v_.size(); ++i)
      if (v_[i] == "--" + name) out.push_back(v_[i + 1]);
    return out;
  }
  const std::vector<std::string>& raw() const { return v_; }

 private:
  std::vector<std::string> v_;
};

}  // namespace bench
