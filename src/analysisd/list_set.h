// The lists that <list> conditions look values up in (rules-and-decoders 5).
//
// A list is read from its .cdb; when that is absent or older than the text, the text is compiled in
// memory. Address look-ups also know networks: keys with /length, and IPv6. Cost of a look-up: one
// hash, for addresses one more for each prefix length that occurs in the list.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/configuration.h"
#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

// One state of one list. Immutable.
class ListTable {
 public:
  // From the bytes of a .cdb; nullptr when they are damaged.
  static std::shared_ptr<const ListTable> FromCompiled(std::string bytes);
  // From the text of a list.
  static std::shared_ptr<const ListTable> FromText(std::string_view text);
  ~ListTable();

  std::optional<std::string_view> Find(std::string_view key) const;

  // The key itself, else the longest of its parts that end in a dot ("192.168.1."), else networks
  // that contain it; of a dotted part and a network the longer one.
  std::optional<std::string_view> FindAddress(std::string_view address) const;

 private:
  ListTable();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A list of the configuration. Read by the judging thread; Refresh changes what it reads.
class List {
 public:
  // `file` is the text below the prefix; empty: in memory only.
  List(std::string name, std::string file) : name_(std::move(name)), file_(std::move(file)) {}

  const std::string& name() const { return name_; }  // "rules/blocked"
  bool IsLoaded() const { return table_ != nullptr; }

  std::optional<std::string_view> Find(std::string_view key) const {
    return table_ ? table_->Find(key) : std::nullopt;
  }
  std::optional<std::string_view> FindAddress(std::string_view address) const {
    return table_ ? table_->FindAddress(address) : std::nullopt;
  }

  // Reads the newer of .cdb and text. The reason when neither can be used; the table is then what
  // it was.
  std::optional<std::string> Load(const Home& home);
  // Load, if one of the files is another than last time. True when the table changed; a file that
  // vanished or is damaged leaves the old table in use and gives the reason once.
  bool Refresh(const Home& home, std::string* error);

  void SetTable(std::shared_ptr<const ListTable> table) { table_ = std::move(table); }

 private:
  struct Stamp {
    bool exists = false;
    uint64_t device = 0, inode = 0, size = 0;
    int64_t seconds = 0, nanoseconds = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
    bool IsNewerThan(const Stamp& other) const;
  };
  static Stamp StampOf(const std::filesystem::path& path);
  // Not kept: the prefix is another before and after the chroot.
  std::filesystem::path TextBelow(const Home& home) const { return home / file_; }
  std::filesystem::path CompiledBelow(const Home& home) const { return home / (file_ + ".cdb"); }

  std::string name_;
  std::string file_;
  Stamp text_stamp_, compiled_stamp_;
  std::shared_ptr<const ListTable> table_;
};

class ListSet {
 public:
  ListSet() = default;
  ListSet(const ListSet&) = delete;
  ListSet& operator=(const ListSet&) = delete;

  // Opens all lists that `configuration` names, below `home`. One that cannot be read is a WARN
  // here, and an error where a rule names it.
  static std::unique_ptr<ListSet> Load(const Home& home, const config::Configuration& configuration,
                                       config::Problems& problems);

  // For tests and tools: a list that is given as text.
  void Add(std::string_view name, std::string_view text);

  // By the name of a <list> condition: bare names are below rules/, ".cdb" and what follows is cut.
  // nullptr = not configured.
  const List* Find(std::string_view name) const;
  // The form under which lists are kept.
  static std::string Normalise(std::string_view name);

  // Switches to files below `home` that changed, at most once a second of `now`, and says so in the
  // log. Judging thread only.
  void Refresh(const Home& home, base::Seconds now) const;

 private:
  std::vector<std::unique_ptr<List>> lists_;
  mutable base::Seconds last_refresh_ = 0;
};

}  // namespace ospatrol::analysisd
